import { kindNumber } from '../span/span.ts';
import type { Bytes, SpanStore } from '../span/span-store.ts';
import { indexIntervals } from '../util/interval-index.ts';

/** What the search needs of a `TraceGraph`. */
interface Graph {
  readonly store: SpanStore;
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  has(row: number): boolean;
  isEntry(row: number): boolean;
  hasChild(row: number): boolean;
  serviceNumberOf(row: number): number;
  topInService(row: number): number;
}

/**
 * Finds SERVER spans with the header that the report tells users to send, whose request a service passed on: it had received such a request
 * itself, and a call of it that no span continues encloses theirs. Without such a call the user may have sent both requests in parallel.
 * @param isOwn Whether the header of a row is that one.
 */
export function findPassedOn(graph: Graph, isOwn: (row: number) => boolean): ReadonlySet<number> {
  const { starts, ends, store } = graph;
  const requests = listRows(store.kinds, (row) => graph.has(row) && graph.isEntry(row) && isOwn(row));
  if (requests.length < 2) return new Set();
  const received = new Set(requests);
  const open = listRows(
    store.kinds,
    (row, kind) =>
      kind === kindNumber.client &&
      graph.has(row) &&
      !graph.hasChild(row) &&
      received.has(graph.topInService(row)),
  );
  const calls = indexIntervals(
    Float64Array.from(open, (row) => starts[row] ?? 0),
    Float64Array.from(open, (row) => ends[row] ?? 0),
  );
  const encloses = (row: number, at: number): boolean => {
    const call = open[at] ?? row;
    return (
      graph.serviceNumberOf(call) !== graph.serviceNumberOf(row) && (ends[row] ?? 0) <= (ends[call] ?? 0)
    );
  };
  return new Set(requests.filter((row) => calls.someOpenAt(starts, row, 0, encloses)));
}

function listRows(kinds: Bytes, isMeant: (row: number, kind: number) => boolean): readonly number[] {
  const rows: number[] = [];
  kinds.forEach((kind, row) => {
    if (isMeant(row, kind)) rows.push(row);
  });
  return rows;
}
