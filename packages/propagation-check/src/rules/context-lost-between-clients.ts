import { readCallFacts } from '../calls/call-facts.ts';
import { type Call, selectCalls } from '../calls/call-group.ts';
import { isRoot } from '../graph/trace-graph.ts';
import { measureFill } from '../pairing/awaited.ts';
import { areNearlyAll } from '../pairing/nearly-all.ts';
import { type Pair, pairSpans } from '../pairing/pair-spans.ts';
import { endsWithin } from '../pairing/times.ts';
import type { Span } from '../span/span.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import { median } from '../util/statistics.ts';
import { finding } from './context-lost-in-process.ts';
import { doubtFew } from './doubt-loss.ts';
import type { Doubt } from './draft.ts';
import { gate, rule } from './rule.ts';
import type { Scene } from './scene.ts';
import { areOfTwoLayers, mayBeOfOneRequest } from './two-layers.ts';

/** Calls of one edge whose CLIENT spans began traces, with the caller's other CLIENT spans for the same requests. */
interface DividedClients {
  readonly calls: Group<Call>;
  /** The span of the outer library, which has no child, and the span of the inner one. */
  readonly pairs: readonly Pair[];
}

/**
 * Two libraries of one call (a REST client and the HTTP client below it) make a span each, and the inner library does not see the context
 * of the outer one: its span begins a trace, and the called service continues that trace.
 *
 * Source: opentelemetry-java-instrumentation, issue 1422.
 */
export const contextLostBetweenClients = rule<DividedClients>({
  finding,
  measure: (scene, open) => {
    const services = new Set(open.clients.map(({ serviceName }) => serviceName));
    const detaching = scene.groups.filter(
      ({ client, clientKind, extremes }) =>
        clientKind === 'CLIENT' && extremes.hasDetached && services.has(client),
    );
    const { graph } = scene;
    const calls = selectCalls(graph, detaching, (client) => graph.isRoot(client)).filter(
      ({ client }) => readCallFacts(client).path !== null,
    );
    return groupBy(calls, ({ client, server }) => keyFor(client.serviceName, server.serviceName)).map(
      (ofEdge) => ({ calls: ofEdge, pairs: pairLibraries(scene, open.clients, ofEdge) }),
    );
  },
  gates: [
    gate(
      'nearly all of them lie within a span of another library for the same request',
      ({ calls, pairs }, { thresholds }) =>
        areNearlyAll(pairs.length, calls.length, thresholds.displacedShare, thresholds),
      ({ calls, pairs }) => `${pairs.length} of ${calls.length}`,
    ),
    // A stream stays open for long, and calls of a job for the same path may lie within it.
    gate(
      'the calls take a good part of the spans around them',
      ({ pairs }, { thresholds: { waitedShare } }) =>
        median(pairs.map(({ client, server }) => measureFill(client, server))) >= waitedShare,
      ({ pairs }) => `not of ${pairs.length}`,
    ),
  ],
  looseEnds: ({ pairs }) => pairs.map(({ client }) => client),
  report: ({ calls, pairs }, { thresholds: { fewestDetached } }) => {
    const [{ client, server, protocol }] = calls;
    const serverOf = new Map(calls.map((call) => [call.client, call.server]));
    return finding.report({
      isLikely: true,
      doubt: pairs.length < fewestDetached ? doubtFew(pairs.length, fewestDetached) : doubtRoots(pairs),
      client: client.serviceName,
      server: server.serviceName,
      protocol,
      explains: pairs.map(({ client: outer }) => outer),
      shown: pairs.map(({ client: outer, server: call }) => ({
        client: call,
        server: serverOf.get(call) ?? null,
        says: `root of its own trace, within "${outer.name}" of trace ${outer.traceId} for the same request, which has no child`,
      })),
    });
  },
});

/** If the outer span has no parent either, the inner library may see the same empty context as the outer one. */
function doubtRoots(pairs: readonly Pair[]): Doubt | null {
  const [first] = pairs;
  if (first === undefined || !pairs.every(({ client: outer }) => isRoot(outer))) return null;
  return {
    says: 'The spans of both libraries begin traces: libraries that each make a span, side by side, look the same in the data.',
    decide: [
      `Make the calls within a request or span of ${first.client.serviceName ?? 'the service'} and check again: libraries side by side continue its trace`,
    ],
  };
}

function pairLibraries(
  { thresholds }: Scene,
  clients: readonly Span[],
  calls: readonly Call[],
): readonly Pair[] {
  return pairSpans(
    clients,
    calls.map(({ client }) => client),
    (span, call) =>
      span.kind === 'CLIENT' &&
      span.serviceName === call.serviceName &&
      areOfTwoLayers(span, call) &&
      keyOfMethodAndUrl(span) === keyOfMethodAndUrl(call) &&
      endsWithin(call, span, thresholds) &&
      mayBeOfOneRequest(span, call),
    thresholds,
  );
}

function keyOfMethodAndUrl(span: Span): string {
  const { method, path, host } = readCallFacts(span);
  return keyFor(method, path, host);
}
