import { selectCalls } from '../calls/call-group.ts';
import { isTruncationOf } from '../graph/trace-graph.ts';
import type { Check } from './check.ts';
import { defineFinding } from './define-finding.ts';
import { reportCalls } from './report-calls.ts';

export const finding = defineFinding('trace-id-truncated', {
  kind: 'cause',
  isConclusive: true,
  shows: "B's trace id is the last 16 digits of A's",
  title: 'The trace id is cut to 64 bits',
  why: 'The called service continued the trace with the last 16 digits of its id.',
  fix: 'Use 128-bit trace ids everywhere, or configure the older tracer to keep them.',
});

/** Caller and callee agree on the span id and on 64 bits of the trace id: somebody cut it. */
export const findTruncatedTraceIds: Check = (scene) => {
  const { index } = scene.graph;
  const isAcross = (client: number, server: number): boolean => index.traces[client] !== index.traces[server];
  const groups = scene.groups.filter(({ extremes }) => extremes.isAcrossTraces);
  const cut = selectCalls(scene.graph, groups, isAcross).filter(({ client, server }) =>
    isTruncationOf(client.traceId, server.traceId),
  );
  return reportCalls(
    finding,
    cut,
    ({ client, server }) => `${client.kind} has trace id ${client.traceId}, its SERVER ${server.traceId}`,
  );
};
