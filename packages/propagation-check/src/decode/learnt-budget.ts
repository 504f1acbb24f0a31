/** Hostile data may be written in any number of ways, each as long as a request. */
export const mostLearntBytes = 4 * 1024 * 1024;
const mostSteps = 4_096;
/** Ways in which a span may go on after a step. */
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

  /** @returns Whether there is room for the bytes; it is taken then. */
  take(bytes: number, steps: 0 | 1): boolean {
    if (this.#steps + steps > mostSteps || this.#bytes + bytes > mostLearntBytes) return false;
    this.#steps += steps;
    this.#bytes += bytes;
    return true;
  }
}
