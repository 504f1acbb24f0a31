import { isRoot } from '../graph/trace-graph.ts';
import { pairSpans } from '../pairing/pair.ts';
import { spanKinds } from '../span/span.ts';
import { type Check, listUnseenEdges } from './check.ts';
import { finding as splitTrace } from './split-trace.ts';

/**
 * Hand-made propagation with INTERNAL spans on both sides: the callee's span is a root while the caller's is open.
 * Without kinds or HTTP attributes only an expected edge between services that have no other spans can be judged.
 */
export const findSplitsByHand: Check = (scene, open) =>
  listUnseenEdges(scene, open).flatMap((edge) => {
    const hasOtherKinds = spanKinds.some(
      (kind) =>
        kind !== 'INTERNAL' &&
        (scene.services.hasKind(edge.client, kind) || scene.services.hasKind(edge.server, kind)),
    );
    if (hasOtherKinds) return [];
    const callers = scene.spansOf(edge.client);
    const callees = scene.spansOf(edge.server);
    const innermost = callers.filter((span) => !scene.graph.hasChildren(span));
    const pairs = pairSpans(innermost, callees.filter(isRoot), () => true, scene.thresholds);
    if (pairs.length === 0) return [];
    return [
      splitTrace.report({
        client: edge.client,
        server: edge.server,
        protocol: 'internal' as const,
        candidates: ['header-not-sent', 'header-ignored', 'header-stripped', 'format-mismatch'] as const,
        shown: pairs.map(({ client, server }) => ({
          client,
          server,
          says: `"${server.name}" is a root of trace ${server.traceId}, made while "${client.name}" was open`,
        })),
      }),
    ];
  });
