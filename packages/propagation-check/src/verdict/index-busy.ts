import type { TraceGraph } from '../graph/trace-graph.ts';
import { bounds } from '../pairing/bounds.ts';
import { indexIntervals } from '../util/interval-index.ts';
import { sumOf } from '../util/statistics.ts';

/** When services were busy: from the start of one of their topmost spans to its end. */
export interface BusyTimes {
  /** The services that were busy when a span began, except its own; if there are very many, the latest. */
  duringStartOf(row: number): readonly string[];
  isDuring(service: string, row: number): boolean;
  /** The total duration of the topmost spans of a service. */
  timeOf(service: string): number;
}

interface Busy {
  readonly service: string;
  readonly start: number;
  end: number;
}

/** @param tolerance In nanoseconds, for times of one clock. */
export function indexBusyTimes(graph: TraceGraph, services: readonly string[], tolerance: number): BusyTimes {
  const times = new Map<string, number>();
  const busy = services.flatMap((service) => {
    const tops = listTops(graph, service);
    times.set(service, sumOf(tops.map((row) => (graph.ends[row] ?? 0) - (graph.starts[row] ?? 0))));
    return mergeTimes(graph, service, tops);
  });
  const intervals = indexIntervals(
    Float64Array.from(busy, ({ start }) => start),
    Float64Array.from(busy, ({ end }) => end),
  );
  const startOf = (row: number): number => graph.starts[row] ?? 0;
  return {
    duringStartOf(row) {
      const own = graph.serviceOf(row);
      const found: string[] = [];
      for (const at of intervals.openBetween(startOf(row) - tolerance, startOf(row) + tolerance)) {
        const service = busy[at]?.service ?? own;
        if (service !== null && service !== own) found.push(service);
        if (found.length >= bounds.fewestPlainComparisons) break;
      }
      return [...new Set(found)];
    },
    isDuring: (service, row) =>
      intervals.someOpenAt(graph.starts, row, tolerance, (_, at) => busy[at]?.service === service),
    timeOf: (service) => times.get(service) ?? 0,
  };
}

/** The topmost spans of a service. */
export function listTops(graph: TraceGraph, service: string): readonly number[] {
  return Array.from(graph.rowsOfService(service)).filter((row) => graph.topInService(row) === row);
}

/** Merges overlapping spans of a service into one interval. */
function mergeTimes({ starts, ends }: TraceGraph, service: string, rows: readonly number[]): readonly Busy[] {
  const merged: Busy[] = [];
  for (const row of rows.toSorted((left, right) => (starts[left] ?? 0) - (starts[right] ?? 0))) {
    const [start, end] = [starts[row] ?? 0, ends[row] ?? 0];
    const last = merged.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else merged.push({ service, start, end });
  }
  return merged;
}
