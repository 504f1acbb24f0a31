import { tickMs } from './due-traces.ts';
import type { TraceJudge } from './trace-judge.ts';

/** The pause after a batch, as a multiple of the time that it took: it leaves time for exports. */
const exportShare = 1;

/** Runs a judge every second, and sooner when it has a whole batch. */
export class JudgeLoop {
  readonly #judge: TraceJudge;
  readonly #onWork: (milliseconds: number) => void;
  #ticking: NodeJS.Timeout | undefined;
  #isSoon = false;
  #lastMs = 0;

  /** @param onWork Called with the time that each turn took, in milliseconds. */
  constructor(judge: TraceJudge, onWork: (milliseconds: number) => void) {
    this.#judge = judge;
    this.#onWork = onWork;
  }

  start(): void {
    this.#ticking = setInterval(() => this.#tick(), tickMs);
  }

  /** Judges a batch when there is one, then pauses for exports: the body of an export arrives in many turns of the event loop. */
  judgeSoon(): void {
    if (this.#isSoon || !this.#judge.isReady) return;
    this.#isSoon = true;
    setTimeout(() => {
      this.#isSoon = false;
      this.#tick();
      this.judgeSoon();
    }, this.#lastMs * exportShare).unref();
  }

  stop(): void {
    clearInterval(this.#ticking);
  }

  #tick(): void {
    const begunAt = performance.now();
    this.#judge.tick(now());
    this.#lastMs = performance.now() - begunAt;
    this.#onWork(this.#lastMs);
  }
}

/** Milliseconds since the epoch by a monotonic clock, which does not change when the system time is set. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
