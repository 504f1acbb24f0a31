import { readCallFacts } from '../calls/call-facts.ts';
import { keyOfMethodAndPath } from '../calls/endpoint.ts';
import { readMethod } from '../calls/http-facts.ts';
import { isHealthProbe } from '../calls/probes.ts';
import { isRoot, none, type TraceGraph } from '../graph/trace-graph.ts';
import { measureFill } from '../pairing/awaited.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { areNearlyAll } from '../pairing/nearly-all.ts';
import { type Pair, pairSpans } from '../pairing/pair-spans.ts';
import { startsDuring, type Tolerances } from '../pairing/times.ts';
import { atTime } from '../span/row-span.ts';
import { isCallKind, kindNumber, type Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, groupBy, keyFor, mapBy } from '../util/group-by.ts';
import { median } from '../util/statistics.ts';
import { finding } from './context-lost-in-process.ts';
import { doubtFew } from './doubt-loss.ts';
import { protocolOf } from './draft.ts';
import { gate, rule } from './rule.ts';
import type { Open, Scene } from './scene.ts';
import { areOfTwoLayers, mayBeOfOneRequest } from './two-layers.ts';

/** The spans of one layer of a service, with roots for the same method and path. */
interface DividedLayers {
  readonly layers: Group<Span>;
  readonly servers: readonly Span[];
  /** The layer and the request that began within it or right after it. */
  readonly pairs: readonly Pair[];
}

/**
 * Two layers of one service (a middleware and the server behind it, a web server and the application within it) have a trace each for the
 * same request: the second begins a trace with the same method and path while the first is open or has just ended. The first began its
 * trace too, or continues the trace of a caller and has no child.
 */
export const contextLostBetweenLayers = rule<DividedLayers>({
  finding,
  measure: (scene, open) => {
    const { facts } = scene;
    const divided = findDividedServices(scene);
    if (divided.size === 0 && !facts.maySome((row) => row.kind === 'INTERNAL' && readMethod(row) !== null))
      return [];
    const nameLayer = (span: Span): string =>
      keyFor(span.serviceName, span.scopeName, span.kind, String(isRoot(span)));
    return groupBy(selectLayers(scene, divided), nameLayer).map((layers) => {
      const servers = selectInner(scene, open, layers);
      return { layers, servers, pairs: pairLayers(layers, servers, scene.thresholds) };
    });
  },
  gates: [
    gate(
      'nearly all spans of the layer are followed by a request of the same method and path',
      ({ layers, pairs }, { thresholds }) =>
        areNearlyAll(pairs.length, layers.length, thresholds.displacedShare, thresholds),
      describePairs,
    ),
    gate(
      'hardly any other request is left over, or fewer would follow by chance',
      ({ layers, servers, pairs }, { thresholds }) =>
        servers.length <= pairs.length * thresholds.displacedLeftOver ||
        isMoreThanChance(
          servers,
          pairs.length,
          (moved) => pairLayers(layers, moved, thresholds).length,
          thresholds,
        ),
      (divided) => `${describePairs(divided)}, with ${countOf(divided.servers.length, 'request')}`,
    ),
    // Requests of outside callers may fall within other requests at any time.
    gate(
      'the other layer takes a good part of a layer that continues the trace of its caller',
      ({ layers, pairs }, { thresholds: { waitedShare } }) =>
        isRoot(layers[0]) ||
        median(pairs.map(({ client, server }) => measureFill(client, server))) >= waitedShare,
      describePairs,
    ),
    // Two tracers of one service (an agent and a library with its own tracer) make two traces, and both are whole.
    gate(
      'the trace of the layer has no call that began during the request',
      ({ pairs }, scene) => countCallsMeanwhile(scene, pairs) === 0,
      ({ pairs }, scene) => countOf(countCallsMeanwhile(scene, pairs), 'call'),
    ),
  ],
  looseEnds: ({ pairs }) => pairs.map(({ server }) => server),
  report: ({ layers, pairs }, { thresholds: { fewestDisplaced } }) =>
    finding.report({
      isLikely: true,
      doubt: pairs.length >= fewestDisplaced ? null : doubtFew(pairs.length, fewestDisplaced),
      client: layers[0].serviceName,
      server: layers[0].serviceName,
      protocol: protocolOf(layers[0]),
      shown: pairs.map(({ client: layer, server }) => ({
        client: null,
        server,
        says: `root of its own trace, begun ${describeOrder(layer, server)}, for the same request`,
      })),
    }),
});

/** Spans that may be the first layer. @param divided The numbers of services with SERVER spans of several scopes. */
function selectLayers({ graph, facts }: Scene, divided: ReadonlySet<number>): readonly Span[] {
  const { kinds } = graph.store;
  const mayBeFirst = (row: number): boolean =>
    kinds[row] === kindNumber.internal
      ? graph.isRoot(row)
      : kinds[row] === kindNumber.server &&
        divided.has(graph.serviceNumberOf(row)) &&
        (graph.isRoot(row) || isOfCallerAlone(graph, row));
  return graph
    .select((row) => mayBeFirst(row) && !graph.mayBeLinked(row) && readMethod(facts.at(row)) !== null)
    .filter((span) => readCallFacts(span).path !== null);
}

/** Requests that may be the second layer. */
function selectInner({ graph }: Scene, open: Open, layers: Group<Span>): readonly Span[] {
  const [first] = layers;
  const requests = new Set(layers.map(keyOfMethodAndPath));
  return open.roots
    .of(first.serviceName)
    .filter(
      (span) =>
        span.kind === 'SERVER' &&
        (first.kind === 'INTERNAL' || areOfTwoLayers(first, span)) &&
        (isRoot(first) || graph.hasChildren(span)) &&
        !isHealthProbe(span) &&
        requests.has(keyOfMethodAndPath(span)),
    );
}

/** Whether the span continues the trace of another service and has no child. */
function isOfCallerAlone(graph: TraceGraph, row: number): boolean {
  const parent = graph.parents[row] ?? none;
  return (
    parent !== none && !graph.hasChild(row) && graph.serviceNumberOf(parent) !== graph.serviceNumberOf(row)
  );
}

/** The number of calls in the trace of a layer that began during the request: the layer's context was active there. */
function countCallsMeanwhile({ graph, thresholds }: Scene, pairs: readonly Pair[]): number {
  const { traces } = graph.index;
  const traceOf = (span: Span): number | undefined => traces[graph.rowOf(span)];
  const requestsOf = mapBy(
    pairs.filter(({ client: layer }) => isRoot(layer)),
    ({ client: layer }) => traceOf(layer),
  );
  const calls = graph.select((row) => isCallKind(graph.store.kinds[row]) && requestsOf.has(traces[row]));
  return calls.filter((call) =>
    (requestsOf.get(traceOf(call)) ?? []).some(
      ({ server }) => call.serviceName === server.serviceName && startsDuring(call, server, thresholds),
    ),
  ).length;
}

/**
 * The numbers of services with SERVER spans of several scopes, roots among them. Few services have these, so the requests of the others are
 * not examined one by one.
 */
function findDividedServices({ graph }: Scene): ReadonlySet<number> {
  const { kinds, scopes, size, resourceTable } = graph.store;
  const scopeOf = new Int32Array(resourceTable.length).fill(none);
  const divided = new Set<number>();
  const beginning = new Set<number>();
  for (let row = 0; row < size; row += 1) {
    if (kinds[row] !== kindNumber.server) continue;
    const service = graph.serviceNumberOf(row);
    const scope = scopes[row] ?? 0;
    if (graph.isRoot(row)) beginning.add(service);
    if (scopeOf[service] === none) scopeOf[service] = scope;
    else if (scopeOf[service] !== scope) divided.add(service);
  }
  return new Set([...divided].filter((service) => beginning.has(service)));
}

function describeOrder({ name, traceId, endTimeUnixNano }: Span, server: Span): string {
  return server.startTimeUnixNano < endTimeUnixNano
    ? `within "${name}" of trace ${traceId}`
    : `when "${name}" of trace ${traceId} had ended`;
}

function describePairs({ layers, pairs }: DividedLayers): string {
  return `${pairs.length} of ${layers.length}`;
}

/**
 * Pairs each layer with the SERVER span of the same request that began within it. If the layer began its trace, the SERVER span may also
 * begin after the layer, within the duration of the layer.
 */
function pairLayers(
  layers: readonly Span[],
  servers: readonly Span[],
  tolerances: Tolerances,
): readonly Pair[] {
  const layerOf = new Map(
    layers.map((layer) => {
      const { startTimeUnixNano: start, endTimeUnixNano: end } = layer;
      return [atTime(layer, start, isRoot(layer) ? end + (end - start) : end), layer];
    }),
  );
  const pairs = pairSpans(
    [...layerOf.keys()],
    servers,
    (window, server) =>
      startsDuring(server, window, tolerances) &&
      isFirst(window, server) &&
      keyOfMethodAndPath(window) === keyOfMethodAndPath(server) &&
      mayBeOfOneRequest(window, server),
    tolerances,
  );
  return pairs.map((pair) => ({ ...pair, client: layerOf.get(pair.client) ?? pair.client }));
}

/**
 * Two layers that begin traces at nearly the same time would each pair as the first of the other. The layer that begins earlier is the
 * outer one.
 */
function isFirst(layer: Span, server: Span): boolean {
  const ahead = server.startTimeUnixNano - layer.startTimeUnixNano;
  if (layer.kind === 'INTERNAL' || ahead > 0n) return true;
  return ahead === 0n && (!isRoot(layer) || layer.scopeName < server.scopeName);
}
