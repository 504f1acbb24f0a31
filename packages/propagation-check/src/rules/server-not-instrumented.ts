import { asksBroker } from '../calls/broker-api.ts';
import { isOutgoing } from '../calls/edge.ts';
import { readMethod } from '../calls/http-facts.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import { isRoot } from '../graph/trace-graph.ts';
import { type Pair, pairSpans } from '../pairing/pair-spans.ts';
import type { Span } from '../span/span.ts';
import { defineFinding } from './define-finding.ts';
import { protocolOf } from './draft.ts';
import { listUnseenEdges } from './expected-calls.ts';
import type { HeaderCause } from './header-cause.ts';
import { gate, rule } from './rule.ts';
import { listToSameTargets } from './same-target.ts';
import type { Open, Scene } from './scene.ts';
import { moveToFront, splitCauses } from './split-causes.ts';
import { finding as splitTrace } from './split-trace.ts';

export const finding = defineFinding('server-not-instrumented', {
  kind: 'cause',
  isConclusive: false,
  shows: 'B emits spans, but no SERVER span for its requests',
  title: 'The called service\u2019s server is not instrumented',
  why: 'The called service emits spans, but none for the requests that reach it.',
  fix: 'Enable the server instrumentation, load it before the framework (ESM: with its loader hook).',
  ofMessages: {
    title: 'The receiving service\u2019s consumer is not instrumented',
    why: 'The receiving service emits spans, but none for the messages that reach it.',
    fix: 'Enable the instrumentation of the client library of the broker, load it before that library (ESM: with its loader hook).',
  },
});

/** An expected edge without any whole call. */
interface UnseenServer {
  readonly open: Open;
  readonly edge: ExpectedEdge;
  /** Whether the called service has SERVER or CONSUMER spans. */
  readonly hasEntries: boolean;
  /** If it has none: its spans that began traces and are calls or have children, and these paired with the open calls of the caller. */
  readonly roots: readonly Span[];
  readonly pairs: readonly Pair[];
}

/**
 * The called service emits spans, but no SERVER span at all: its own calls begin new traces while the caller waits. Reported only if the
 * edge is expected, as a service without SERVER spans may be a poller.
 */
export const serversNotInstrumented = rule<UnseenServer>({
  finding,
  measure: (scene, open) =>
    listUnseenEdges(scene, open).map((edge) => {
      const hasEntries = scene.services.hasEntries(edge.server);
      const spans = hasEntries ? [] : scene.spansOf(edge.server);
      const roots = spans.filter((span) => isRoot(span) && leadsOutside(scene, span));
      const pairs = hasEntries ? [] : pairSpans(listCalls(open, edge), roots, () => true, scene.thresholds);
      return { open, edge, hasEntries, roots, pairs };
    }),
  gates: [
    gate(
      'the called service has no SERVER or CONSUMER span',
      ({ hasEntries }) => !hasEntries,
      ({ edge }) => `${edge.server} has some`,
    ),
    gate(
      'spans of the called service began traces while calls of the caller were open',
      ({ pairs }) => pairs.length > 0,
      ({ edge, roots }) => `none of the ${roots.length} of ${edge.server}`,
    ),
  ],
  looseEnds: ({ open, edge }) => listCalls(open, edge),
  report: ({ open, edge: { client: caller, server: callee }, pairs }) => {
    const edge = { client: caller, server: callee, protocol: protocolOf(pairs[0]?.client) };
    const ofRequests = pairs.every(({ server }) => isOfRequest(server));
    const paired = pairs.map(({ client, server }) => ({
      client,
      server: ofRequests ? server : null,
      says: `meanwhile ${callee} made ${server.kind} "${server.name}" as the root of trace ${server.traceId}, and has no SERVER span anywhere`,
    }));
    const others = listToSameTargets(
      open.clients,
      pairs.map(({ client }) => client),
    ).map((client) => ({
      client,
      server: null,
      says: `has the same target, and ${callee} has no SERVER span anywhere`,
    }));
    const shown = [...paired, ...others];
    return ofRequests
      ? splitTrace.report({
          ...{ ...edge, shown },
          candidates: moveToFront(splitCauses, 'server-not-instrumented'),
        })
      : finding.report({ isLikely: true, ...edge, shown });
  },
});

/** Whether the span stands for a request, as tower-http makes it. The layer that made it may have looked for a header. */
function isOfRequest(span: Span): boolean {
  return span.kind === 'INTERNAL' && readMethod(span) !== null;
}

/** The calls of the caller that may reach the service. Calls to the API of a broker are answered by the broker. */
function listCalls({ clients }: Open, { client }: ExpectedEdge): readonly Span[] {
  return clients.filter((span) => span.serviceName === client && !asksBroker(span));
}

/** Leaves out spans without calls: DNS look-ups and the like begin traces in every process. */
function leadsOutside(scene: Scene, span: Span): boolean {
  return isOutgoing(span) || scene.graph.hasChildren(span);
}

/** A service that names its SERVER span in every answer named none in this one: it made none. */
export const serverNotInstrumented: HeaderCause = {
  finding,
  // A hop behind the tap may have sent the answer.
  needs: { sides: ['callee'] },
  explain: ({ server, headers: { answer }, namesItsSpan }) =>
    namesItsSpan && server === null && answer?.span === null
      ? 'the called service names its span in every answer, and this one names none: nothing made a span for the request'
      : null,
};
