import { type CallGroup, type CallRows, groupCalls, selectPairs } from '../calls/call-group.ts';
import type { TraceGraph } from '../graph/trace-graph.ts';
import type { Scene } from '../rules/check.ts';
import { keyFor } from '../util/group-by.ts';
import { chooseCalls } from '../verdict/choose-calls.ts';
import { type CallVerdict, pastService } from './edge-counters.ts';

/** Whole calls of one edge. The example has both sides of one. */
export interface WholeCalls extends CallVerdict {
  readonly rows: readonly number[];
}

export interface WholeQuery {
  /** Whether a call was not whole before, so that nobody has counted it. */
  readonly isNew: (client: number, server: number) => boolean;
  /** The servers of the calls of an edge that are counted as broken. */
  readonly brokenOf: (edge: Pick<CallGroup, 'client' | 'server'>) => ReadonlySet<number>;
  /** Whether another service was between the two. */
  readonly isPast: (server: number) => boolean;
}

/** New calls whose sides name each other. */
export function listWholeCalls(
  known: Pick<Scene, 'graph' | 'facts'>,
  groups: readonly CallGroup[],
  { isNew, brokenOf, isPast }: WholeQuery,
): readonly WholeCalls[] {
  const alike = groupCalls(groups, ({ client, server, protocol }) => keyFor(client, server, protocol));
  return alike.flatMap((ofEdge) => {
    const broken = brokenOf(ofEdge[0]);
    const isBroken = (server: number): boolean => broken.has(server);
    const isCallOf = chooseCalls(known, ofEdge, isBroken, (client, server) => !isNew(client, server));
    return ofEdge.flatMap((group) => {
      const isCall = isCallOf(group);
      const calls = selectPairs(
        [group],
        (client, server) => isNew(client, server) && !isBroken(server) && isCall(client, server),
      );
      const direct = calls.filter(({ server }) => !isPast(server));
      const past = calls.filter(({ server }) => isPast(server));
      return [
        ...describe(known.graph, group, direct, { verdict: 'intact', cause: '' }),
        ...describe(known.graph, group, past, { verdict: 'undecided', cause: pastService }),
      ];
    });
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
