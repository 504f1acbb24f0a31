import type { CallGroup, CallRows } from '../calls/call-group.ts';
import type { TraceGraph } from '../graph/trace-graph.ts';
import type { ChosenCalls } from '../verdict/choose-calls.ts';
import { type CallVerdict, pastService } from './edge-counters.ts';

/** Whole calls of one edge. `example` shows both sides of one of them. */
export interface WholeCalls extends CallVerdict {
  readonly rows: readonly number[];
}

/** @param isPast Whether the call passed through another service between its two sides. */
export function describeWhole(
  graph: TraceGraph,
  chosen: readonly ChosenCalls[],
  isPast: (server: number) => boolean = () => false,
): readonly WholeCalls[] {
  return chosen.flatMap(({ group, calls }) => {
    const direct = calls.filter(({ server }) => !isPast(server));
    const past = calls.filter(({ server }) => isPast(server));
    return [
      ...describe(graph, group, direct, { verdict: 'intact', cause: '' }),
      ...describe(graph, group, past, { verdict: 'undecided', cause: pastService }),
    ];
  });
}

function describe(
  graph: TraceGraph,
  { client, server }: CallGroup,
  calls: readonly CallRows[],
  verdict: Pick<CallVerdict, 'verdict' | 'cause'>,
): readonly WholeCalls[] {
  const last = calls.at(-1);
  if (last === undefined) return [];
  const [from, to] = [graph.view(last.client), graph.view(last.server)];
  const example = { traceId: to.traceId, spanIds: [from.spanId, to.spanId] };
  return [{ client, server, ...verdict, rows: calls.map((call) => call.server), example }];
}
