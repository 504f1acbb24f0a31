import type { TraceGraph } from '../graph/trace-graph.ts';
import type { Span } from '../span/span.ts';

/** SERVER and CONSUMER spans that began traces: nearly all are requests from outside, so each look makes views of few. */
export class Roots {
  readonly #graph: TraceGraph;
  readonly #rows: ReadonlyMap<string | null, readonly number[]>;
  readonly #explained: ReadonlySet<number>;

  constructor(
    graph: TraceGraph,
    rows: ReadonlyMap<string | null, readonly number[]>,
    explained: ReadonlySet<number>,
  ) {
    this.#graph = graph;
    this.#rows = rows;
    this.#explained = explained;
  }

  /** All, by start. Makes a view of each. */
  [Symbol.iterator](): Iterator<Span> {
    return this.select(() => true)[Symbol.iterator]();
  }

  /** Those of a service, by start. */
  of(service: string | null): readonly Span[] {
    return this.select(() => true, service);
  }

  /** Those that are meant, of a service or of all, by start. */
  select(isMeant: (row: number) => boolean, service?: string | null): readonly Span[] {
    const lists = service === undefined ? [...this.#rows.values()] : [this.#rows.get(service) ?? []];
    return this.#graph.viewsOf(
      lists.flatMap((rows) => rows.filter((row) => this.#isLeft(row) && isMeant(row))),
    );
  }

  /** The services that have some. */
  services(): readonly (string | null)[] {
    return [...this.#rows.keys()].filter((service) => this.count(service) > 0);
  }

  /** The first of a service, by start. */
  first(service: string | null, most: number): readonly Span[] {
    const { starts } = this.#graph;
    const rows = (this.#rows.get(service) ?? []).filter((row) => this.#isLeft(row));
    // Ascending. Nearly all rows begin later than these.
    const earliest: number[] = [];
    for (const row of rows) {
      const start = starts[row] ?? 0;
      if (earliest.length === most && start >= (earliest[most - 1] ?? 0)) continue;
      const place = earliest.findLastIndex((one) => one <= start) + 1;
      earliest.splice(place, 0, start);
      if (earliest.length > most) earliest.pop();
    }
    const last = earliest.at(-1) ?? Number.NEGATIVE_INFINITY;
    return this.#graph.viewsOf(rows.filter((row) => (starts[row] ?? 0) <= last));
  }

  /** How many of a service are meant. */
  count(service: string | null, isMeant: (row: number) => boolean = () => true): number {
    return (this.#rows.get(service) ?? []).filter((row) => this.#isLeft(row) && isMeant(row)).length;
  }

  /** How many of a service have each key. */
  countBy(service: string | null, keyOf: (row: number) => string): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const row of this.#rows.get(service) ?? []) {
      if (!this.#isLeft(row)) continue;
      const key = keyOf(row);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  }

  /** How many are of another trace than the span. */
  countOutside(span: Span): number {
    const { traces } = this.#graph.index;
    const trace = traces[this.#graph.rowOf(span)];
    let count = 0;
    for (const rows of this.#rows.values()) {
      for (const row of rows) if (traces[row] !== trace && this.#isLeft(row)) count += 1;
    }
    return count;
  }

  /** Without those that a finding explains. */
  without(spans: Iterable<Span | null>): Roots {
    const explained = new Set(this.#explained);
    for (const span of spans) if (span !== null) explained.add(this.#graph.rowOf(span));
    return new Roots(this.#graph, this.#rows, explained);
  }

  #isLeft(row: number): boolean {
    return !this.#explained.has(row);
  }
}
