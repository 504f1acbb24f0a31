import { pairSpans } from '../pairing/pair.ts';
import { spanKinds } from '../span/span.ts';
import { type Check, listUnseenEdges } from './check.ts';

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
    const innermost = scene.selectSpans(edge.client, (row) => !scene.graph.hasChild(row));
    const roots = scene.selectSpans(edge.server, (row) => scene.graph.isRoot(row));
    const pairs = pairSpans(innermost, roots, () => true);
    if (pairs.length === 0) return [];
    return [
      {
        id: 'split-trace' as const,
        severity: 'error' as const,
        client: edge.client,
        server: edge.server,
        protocol: 'internal' as const,
        candidates: ['header-not-sent', 'header-ignored', 'header-stripped', 'format-mismatch'] as const,
        shown: pairs.map(({ client, server }) => ({
          client,
          server,
          says: `"${server.name}" is a root of trace ${server.traceId}, made while "${client.name}" was open`,
        })),
      },
    ];
  });
