import { type Call, selectCalls } from '../calls/call-group.ts';
import { isTruncationOf } from '../graph/trace-graph.ts';
import type { Group } from '../util/group-by.ts';
import { defineFinding } from './define-finding.ts';
import { groupByEdge, reportCalls } from './report-calls.ts';
import { gate, rule } from './rule.ts';

export const finding = defineFinding('trace-id-truncated', {
  kind: 'cause',
  isConclusive: true,
  shows: "B's trace id is the last 16 digits of A's",
  title: 'The trace id is cut to 64 bits',
  why: 'The called service continued the trace with the last 16 digits of its id.',
  fix: 'Use 128-bit trace ids everywhere, or configure the older tracer to keep them.',
});

/** Caller and callee agree on the span id and on 64 bits of the trace id, so one side truncated it. */
export const truncatedTraceIds = rule<Group<Call>>({
  finding,
  measure: ({ graph, groups }) => {
    const calls = selectCalls(
      graph,
      groups.filter(({ extremes }) => extremes.isAcrossTraces),
      (client, server) => graph.areTracesAlike(client, server),
    );
    return groupByEdge(calls, isCut);
  },
  gates: [
    gate(
      'the trace id of one side is the last 16 digits of the other',
      ([first]) => isCut(first),
      ([{ client, server }]) => `${client.traceId} and ${server.traceId}`,
    ),
  ],
  looseEnds: (calls) => calls.map(({ client }) => client),
  report: (calls) =>
    reportCalls(
      finding,
      calls,
      ({ client, server }) => `${client.kind} has trace id ${client.traceId}, its SERVER ${server.traceId}`,
    ),
});

function isCut({ client, server }: Call): boolean {
  return isTruncationOf(client.traceId, server.traceId);
}
