import { tickMs } from './due-traces.ts';
import type { TraceJudge } from './trace-judge.ts';

/** Of the time that a batch took: the pause before the next. */
const exportShare = 1;

/** Lets a judge work by the second, and sooner when it has a batch. */
export class JudgeLoop {
  readonly #judge: TraceJudge;
  readonly #onWork: (milliseconds: number) => void;
  #ticking: NodeJS.Timeout | undefined;
  #isSoon = false;
  #lastMs = 0;

  /** @param onWork Told how long each turn took. */
  constructor(judge: TraceJudge, onWork: (milliseconds: number) => void) {
    this.#judge = judge;
    this.#onWork = onWork;
  }

  start(): void {
    this.#ticking = setInterval(() => this.#tick(), tickMs);
  }

  /** One batch when there is one, and then time for exports: the body of one arrives in many turns of the event loop. */
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

/** Milliseconds since the epoch on a clock that nobody sets. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
