import type { HeldTrace } from './held-traces.ts';

/** How long judged traces stay: the other half of a broken call may arrive later, and rules need several calls of an edge. */
const contextMs = 300_000;
/**
 * A finding that rests on a missing span counts as broken after this time, because an exporter may retry for a minute. If the trace leaves
 * the window sooner, the call is undecided.
 */
const absenceMs = 60_000;

/** How many spans may stay. `waiting`: of traces that wait for the other side of a broken call. `calm`: of all other traces. */
export interface WindowRoom {
  readonly calm: number;
  readonly waiting: number;
}

export const usualRoom: WindowRoom = { calm: 10_000, waiting: 10_000 };
export const noRoom: WindowRoom = { calm: 0, waiting: 0 };

/** The traces that were judged last, in that order. */
export class TraceWindow {
  #traces: readonly HeldTrace[] = [];
  /** Traces that have received spans since they were judged. */
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

  /** Replaces the window. All spans of these traces are judged. */
  settle(traces: readonly HeldTrace[]): void {
    this.#traces = traces;
    this.#grown.clear();
  }

  /**
   * Takes the traces whose time is over, and the oldest of those for which there is no room. The traces of a broken call leave together.
   * @returns The traces, and whether the time of each was over.
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
      // A trace with new spans is judged again before it leaves.
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

  /** `partnersOf`: the traces that share a pending call. `waiting`: traces of calls that are broken if no more spans arrive. */
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
