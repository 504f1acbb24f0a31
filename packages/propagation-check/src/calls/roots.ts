import { none, type Rows, type TraceGraph } from '../graph/trace-graph.ts';
import type { Span } from '../span/span.ts';
import { mapBy } from '../util/group-by.ts';

const noRows: Rows = new Int32Array(0);

/**
 * SERVER and CONSUMER spans that began traces. Nearly all are requests from outside the capture, so every method makes views of as few as
 * possible.
 */
export class Roots {
  readonly #graph: TraceGraph;
  /** The rows by service. */
  readonly #rows: ReadonlyMap<string | null, Rows>;

  private constructor(graph: TraceGraph, rows: ReadonlyMap<string | null, Rows>) {
    this.#graph = graph;
    this.#rows = rows;
  }

  static from(graph: TraceGraph, rows: Rows): Roots {
    const counts = new Uint32Array(graph.serviceCount);
    for (let at = 0; at < rows.length; at += 1) {
      const service = graph.serviceNumberOf(rows[at] ?? none);
      counts[service] = (counts[service] ?? 0) + 1;
    }
    const filled = new Uint32Array(graph.serviceCount);
    const lists: (Rows | undefined)[] = [];
    const ofServices = new Map<string | null, Rows>();
    for (let at = 0; at < rows.length; at += 1) {
      const row = rows[at] ?? none;
      const service = graph.serviceNumberOf(row);
      const list = lists[service] ?? new Int32Array(counts[service] ?? 0);
      if (filled[service] === 0) {
        lists[service] = list;
        ofServices.set(graph.serviceOf(row), list);
      }
      list[filled[service] ?? 0] = row;
      filled[service] = (filled[service] ?? 0) + 1;
    }
    return new Roots(graph, ofServices);
  }

  /** All roots by start. Makes a view of each. */
  [Symbol.iterator](): Iterator<Span> {
    return this.select(() => true)[Symbol.iterator]();
  }

  /** The roots of a service, by start. */
  of(service: string | null): readonly Span[] {
    return this.select(() => true, service);
  }

  /** The roots for which `isMeant` holds, of one service or of all, by start. */
  select(isMeant: (row: number) => boolean, service?: string | null): readonly Span[] {
    const lists = service === undefined ? this.#rows.values() : [this.#rows.get(service) ?? noRows];
    const meant: number[] = [];
    for (const rows of lists) selectRows(rows, isMeant, meant);
    return this.#graph.viewsOf(meant);
  }

  /** The rows of a service's roots; makes no views. */
  rowsOf(service: string | null): Rows {
    return this.#rows.get(service) ?? noRows;
  }

  /** The services that have roots, sorted: the order of the rows is that of the file. */
  services(): readonly (string | null)[] {
    return [...this.#rows].flatMap(([service, { length }]) => (length > 0 ? [service] : [])).sort();
  }

  /** The first `most` roots of a service, by start, and all that start at the same time as the last. */
  first(service: string | null, most: number): readonly Span[] {
    const { starts } = this.#graph;
    const { found, last } = findEarliest(this.rowsOf(service), starts, most);
    return this.#graph.viewsOf(found.filter((row) => (starts[row] ?? 0) <= last));
  }

  count(service: string | null): number {
    return this.#rows.get(service)?.length ?? 0;
  }

  /** Counts the roots of a service by key. */
  countBy(service: string | null, keyOf: (row: number) => string): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    const rows = this.#rows.get(service) ?? noRows;
    for (let at = 0; at < rows.length; at += 1) {
      const key = keyOf(rows[at] ?? none);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  }

  /** Counts the roots of other traces than the span's. */
  countOutside(span: Span): number {
    const { traces } = this.#graph.index;
    const trace = traces[this.#graph.rowOf(span)];
    let count = 0;
    for (const rows of this.#rows.values()) {
      for (const row of rows) if (traces[row] !== trace) count += 1;
    }
    return count;
  }

  /** The roots without the given spans, which a finding explains. */
  without(spans: Iterable<Span>): Roots {
    const rows = Array.from(spans, (span) => this.#graph.rowOf(span));
    // CLIENT spans are no roots; filtering them first leaves the rows of their services untouched.
    const explained = mapBy(
      rows.filter((row) => this.#graph.isEntry(row)),
      (row) => this.#graph.serviceOf(row),
    );
    const left = Array.from(this.#rows, ([service, rows]) => {
      const ofService = new Set(explained.get(service));
      return [service, ofService.size === 0 ? rows : rows.filter((row) => !ofService.has(row))] as const;
    });
    return new Roots(this.#graph, new Map(left));
  }
}

/** Appends the rows for which `isMeant` holds. A plain loop takes a third of the time of `filter` on typed arrays. */
function selectRows(rows: Rows, isMeant: (row: number) => boolean, meant: number[]): void {
  for (let at = 0; at < rows.length; at += 1) {
    const row = rows[at] ?? none;
    if (isMeant(row)) meant.push(row);
  }
}

/**
 * `last` is the start of the `most`-th earliest row; `found` holds every row that began no later, and some that began later. One pass,
 * because nearly all rows begin later.
 */
function findEarliest(
  rows: Rows,
  starts: TraceGraph['starts'],
  most: number,
): { readonly found: readonly number[]; readonly last: number } {
  const earliest: number[] = [];
  const found: number[] = [];
  let last = Number.POSITIVE_INFINITY;
  for (let at = 0; at < rows.length; at += 1) {
    const row = rows[at] ?? none;
    const start = starts[row] ?? 0;
    if (start > last) continue;
    found.push(row);
    keepEarliest(earliest, start, most);
    if (earliest.length === most) last = earliest[most - 1] ?? last;
  }
  return { found, last };
}

/** @param earliest Starts in ascending order, at most `most` of them. */
function keepEarliest(earliest: number[], start: number, most: number): void {
  const place = earliest.findLastIndex((one) => one <= start) + 1;
  earliest.splice(place, 0, start);
  if (earliest.length > most) earliest.pop();
}
