import type { HeldTrace } from './held-traces.ts';

/** Traces that were judged stay for the next batches: the other halves of broken calls may come, and counts need company. */
const contextMs = 300_000;
/**
 * Verdicts that are argued from a span that is not there are counted as broken after this time: an exporter may try again for a minute.
 * Without the wait they are undecided.
 */
const absenceMs = 60_000;

/** How many spans may stay: of traces that wait for the other side of a broken call, and of all others. */
export interface WindowRoom {
  readonly calm: number;
  readonly waiting: number;
}

const usualRoom: WindowRoom = { calm: 10_000, waiting: 10_000 };
export const noRoom: WindowRoom = { calm: 0, waiting: 0 };

/** The traces that were judged last, in the order in which they were. */
export class TraceWindow {
  #traces: readonly HeldTrace[] = [];
  /** Those to which spans were added since. */
  readonly #grown = new Set<HeldTrace>();

  get traces(): readonly HeldTrace[] {
    return this.#traces;
  }

  get hasGrown(): boolean {
    return this.#grown.size > 0;
  }

  grow(trace: HeldTrace): void {
    this.#grown.add(trace);
  }

  /** All of it was judged. */
  settle(traces: readonly HeldTrace[]): void {
    this.#traces = traces;
    this.#grown.clear();
  }

  /**
   * Takes the traces that were in batches long enough, and the first of those that are too many. The two traces of a broken call leave together.
   * @returns Each with whether it was there for as long as it may be.
   */
  takeLeaving(now: number, most: WindowRoom = usualRoom): ReadonlyMap<HeldTrace, boolean> {
    const { waiting, partnersOf } = this.#findPartners();
    const kindOf = (trace: HeldTrace): keyof WindowRoom => (waiting.has(trace) ? 'waiting' : 'calm');
    const isOver = (trace: HeldTrace): boolean =>
      now - trace.closedAt >= (waiting.has(trace) ? absenceMs : contextMs);
    const spans = { calm: 0, waiting: 0 };
    for (const trace of this.#traces) spans[kindOf(trace)] += trace.rows.length;
    const leaving = new Map<HeldTrace, boolean>();
    for (const trace of this.#traces) {
      const kind = kindOf(trace);
      if (leaving.has(trace) || (!isOver(trace) && spans[kind] <= most[kind])) continue;
      const together = [...(partnersOf.get(trace) ?? [trace])];
      // Judged first, with the spans that have come.
      if (together.some((one) => this.#grown.has(one))) continue;
      for (const one of together) {
        if (leaving.has(one)) continue;
        leaving.set(one, isOver(one));
        spans[kindOf(one)] -= one.rows.length;
      }
    }
    this.#traces = this.#traces.filter((trace) => !leaving.has(trace));
    return leaving;
  }

  /** The traces of the same calls, each with itself, and all of calls that are broken unless more comes. */
  #findPartners() {
    const waiting = new Set<HeldTrace>();
    const partnersOf = new Map<HeldTrace, Set<HeldTrace>>();
    for (const { call, places } of this.#traces.flatMap(({ pending }) => pending)) {
      const traces = places.map(({ trace }) => trace).filter(({ state }) => state !== 'dropped');
      for (const trace of traces) {
        if (call.verdict === 'broken') waiting.add(trace);
        const partners = partnersOf.get(trace) ?? new Set([trace]);
        partnersOf.set(trace, partners);
        for (const partner of traces) partners.add(partner);
      }
    }
    return { waiting, partnersOf };
  }
}
