import { selectCalls } from '../calls/call-group.ts';
import { isTruncationOf } from '../graph/trace-graph.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import type { Check } from './check.ts';

/** Caller and callee agree on the span id and on 64 bits of the trace id: somebody cut it. */
export const findTruncatedTraceIds: Check = (scene) => {
  const { index } = scene.graph;
  const isAcross = (client: number, server: number): boolean => index.traces[client] !== index.traces[server];
  const cut = selectCalls(scene.graph, scene.groups, isAcross).filter(
    ({ client, server }) =>
      isTruncationOf(client.traceId, server.traceId) && client.spanId === server.parentSpanId,
  );
  const edges = groupBy(cut, (call) => keyFor(call.client.serviceName, call.server.serviceName));
  return edges.flatMap((calls) => {
    const first = calls[0];
    if (first === undefined) return [];
    return [
      {
        id: 'trace-id-truncated' as const,
        severity: 'error' as const,
        client: first.client.serviceName,
        server: first.server.serviceName,
        protocol: first.protocol,
        shown: calls.map(({ client, server }) => ({
          client,
          server,
          says: `${client.kind} has trace id ${client.traceId}, its SERVER ${server.traceId}`,
        })),
      },
    ];
  });
};
