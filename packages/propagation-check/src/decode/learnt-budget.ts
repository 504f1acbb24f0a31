/** The limit of remembered bytes: hostile data may have any number of layouts, each as long as a request. */
export const mostLearntBytes = 4 * 1024 * 1024;
const mostSteps = 4_096;
/** The number of different steps that may follow one step. */
export const mostNext = 16;

/** The bound on the span layouts that one reader remembers. */
export class LearntBudget {
  #steps = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get isSpent(): boolean {
    return this.#steps >= mostSteps || this.#bytes >= mostLearntBytes;
  }

  /** Takes room from the budget. @returns False, and takes nothing, when there is not enough. */
  take(bytes: number, steps: 0 | 1): boolean {
    if (this.#steps + steps > mostSteps || this.#bytes + bytes > mostLearntBytes) return false;
    this.#steps += steps;
    this.#bytes += bytes;
    return true;
  }
}
