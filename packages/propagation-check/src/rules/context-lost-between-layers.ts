import { isHealthProbe, readCallFacts, readMethod } from '../calls/call-facts.ts';
import { type Pair, pairSpans, startsDuring, type Tolerances } from '../pairing/pair.ts';
import type { Span } from '../span/span.ts';
import { spanKinds } from '../span/span.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import { type Check, edgeProtocol } from './check.ts';
import { finding } from './context-lost-in-process.ts';

/**
 * Two layers of one framework (a middleware, and the server behind it) each begin a trace for the same request: the one ends,
 * and the other begins with the same method and path.
 */
export const findContextLostBetweenLayers: Check = (scene, open) => {
  const { graph, facts } = scene;
  const internal = spanKinds.indexOf('INTERNAL');
  const layers = graph
    .select(
      (row) => graph.store.kinds[row] === internal && graph.isRoot(row) && readMethod(facts.at(row)) !== null,
    )
    .filter(hasRequest);
  return groupBy(layers, (span) => keyFor(span.serviceName, span.scopeName)).flatMap((ofService) => {
    const [first] = ofService;
    if (first === undefined) return [];
    const servers = open.roots
      .of(first.serviceName)
      .filter((span) => span.kind === 'SERVER' && !isHealthProbe(span));
    const pairs = pairLayers(ofService, servers, scene.thresholds);
    if (pairs.length < ofService.length * scene.thresholds.displacedShare) return [];
    return [
      finding.report({
        isLikely: true,
        severity:
          pairs.length >= scene.thresholds.fewestDisplaced ? ('error' as const) : ('warning' as const),
        client: first.serviceName,
        server: first.serviceName,
        protocol: edgeProtocol(readCallFacts(first).protocol),
        shown: pairs.map(({ client: layer, server }) => ({
          client: null,
          server,
          says: `root of its own trace, begun when "${layer.name}" of trace ${layer.traceId} had ended, for the same request`,
        })),
      }),
    ];
  });
};

/** Each layer with the SERVER span of the same request that began within as much time after it as it took. */
function pairLayers(
  layers: readonly Span[],
  servers: readonly Span[],
  tolerances: Tolerances,
): readonly Pair[] {
  const windows = layers.map((layer) => ({
    ...layer,
    startTimeUnixNano: layer.endTimeUnixNano,
    endTimeUnixNano: layer.endTimeUnixNano + (layer.endTimeUnixNano - layer.startTimeUnixNano),
  }));
  return pairSpans(
    windows,
    servers,
    (window, server) => startsDuring(server, window, tolerances) && isSameRequest(window, server),
    tolerances,
  );
}

function hasRequest(span: Span): boolean {
  const { method, path } = readCallFacts(span);
  return method !== null && path !== null;
}

function isSameRequest(layer: Span, server: Span): boolean {
  const [one, other] = [readCallFacts(layer), readCallFacts(server)];
  return one.method === other.method && one.path === other.path;
}
