import type { ExpectedEdge } from '../expect/expectation.ts';
import { isRoot } from '../graph/trace-graph.ts';
import { type Pair, pairSpans } from '../pairing/pair-spans.ts';
import { type Span, spanKinds } from '../span/span.ts';
import { listUnseenEdges } from './expected-calls.ts';
import { gate, rule } from './rule.ts';
import type { Scene } from './scene.ts';
import { finding as splitTrace } from './split-trace.ts';

/** An expected edge without whole calls, between services that have only INTERNAL spans. */
interface UnseenByHand {
  readonly edge: ExpectedEdge;
  /** The spans of the callee that began traces. */
  readonly roots: readonly Span[];
  /** The roots with the innermost spans of the caller that were open then. */
  readonly pairs: readonly Pair[];
}

/**
 * Hand-made propagation with INTERNAL spans on both sides: the callee's span is a root while the caller's is open. Without span kinds and
 * HTTP attributes, only expected edges between services with no other spans can be judged.
 */
export const splitsByHand = rule<UnseenByHand>({
  finding: splitTrace,
  measure: (scene, open) =>
    listUnseenEdges(scene, open)
      .filter(({ client, server }) => isByHand(scene, client) && isByHand(scene, server))
      .map((edge) => {
        const innermost = scene.spansOf(edge.client).filter((span) => !scene.graph.hasChildren(span));
        const roots = scene.spansOf(edge.server).filter(isRoot);
        return { edge, roots, pairs: pairSpans(innermost, roots, () => true, scene.thresholds) };
      }),
  gates: [
    gate(
      'spans of the called service began traces while spans of the caller were open',
      ({ pairs }) => pairs.length > 0,
      ({ edge, roots }) => `none of the ${roots.length} of ${edge.server}`,
    ),
  ],
  looseEnds: ({ roots }) => roots,
  report: ({ edge: { client, server }, pairs }) =>
    splitTrace.report({
      client,
      server,
      protocol: 'internal',
      candidates: ['header-not-sent', 'header-ignored', 'header-stripped', 'format-mismatch'],
      shown: pairs.map((pair) => ({
        client: pair.client,
        server: pair.server,
        says: `"${pair.server.name}" is a root of trace ${pair.server.traceId}, made while "${pair.client.name}" was open`,
      })),
    }),
});

function isByHand({ services }: Scene, service: string): boolean {
  return spanKinds.every((kind) => kind === 'INTERNAL' || !services.hasKind(service, kind));
}
