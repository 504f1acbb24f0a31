import type { HeldTrace } from './held-traces.ts';

/** The time between two ticks. Traces are grouped by the second in which they are due. */
export const tickMs = 1_000;

/** Sorts traces by their ends. So both halves of a broken trace come into one batch, even if their exports arrived at different times. */
export function inOrderOfEnd(traces: readonly HeldTrace[]): readonly HeldTrace[] {
  return traces.toSorted((one, other) => one.dueAt - other.dueAt);
}

/** Open traces, grouped by the second in which they become due. */
export class DueTraces {
  readonly #bySecond = new Map<number, HeldTrace[]>();
  #nextSecond: number | null = null;

  add(trace: HeldTrace): void {
    const second = Math.ceil(trace.dueAt / tickMs);
    const list = this.#bySecond.get(second);
    if (list === undefined) this.#bySecond.set(second, [trace]);
    else list.push(trace);
    this.#nextSecond = Math.min(this.#nextSecond ?? second, second);
  }

  /** Takes the traces that are due, in the order of their ends. */
  takeDue(now: number): readonly HeldTrace[] {
    const last = Math.floor(now / tickMs);
    const due: HeldTrace[] = [];
    for (let second = this.#nextSecond ?? last + 1; second <= last; second += 1) {
      const list = this.#bySecond.get(second) ?? [];
      this.#bySecond.delete(second);
      this.#nextSecond = second + 1;
      for (const trace of list) {
        if (trace.state !== 'open') continue;
        if (trace.dueAt > now) this.add(trace);
        else due.push(trace);
      }
    }
    // Sorts across seconds: late spans may have moved the end of a trace beyond the second of its group.
    return inOrderOfEnd(due);
  }

  /** Takes traces without a new span since `restedSince`, the first due ones first, until they hold `bytes`. */
  takeRested(
    restedSince: number,
    bytes: number,
    bytesOf: (trace: HeldTrace) => number,
  ): readonly HeldTrace[] {
    const taken = new Set<HeldTrace>();
    let left = bytes;
    for (const second of [...this.#bySecond.keys()].sort((one, other) => one - other)) {
      if (left <= 0) break;
      const list = this.#bySecond.get(second) ?? [];
      for (const trace of inOrderOfEnd(list)) {
        if (left <= 0) break;
        if (trace.state !== 'open' || trace.arrivedAt > restedSince) continue;
        taken.add(trace);
        left -= bytesOf(trace);
      }
      const open = list.filter((trace) => trace.state === 'open' && !taken.has(trace));
      if (open.length > 0) this.#bySecond.set(second, open);
      else this.#bySecond.delete(second);
    }
    return inOrderOfEnd([...taken]);
  }
}
