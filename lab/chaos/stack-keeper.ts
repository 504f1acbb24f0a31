import type { ComposeOverride, Stack } from './stack.ts';

/** Keeps one stack from run to run until it is discarded. */
export class StackKeeper {
  readonly #start: (override: ComposeOverride) => Promise<Stack>;
  #kept: { readonly stack: Stack; readonly override: string } | null = null;

  /** @param start Starts a stack with these changes. */
  constructor(start: (override: ComposeOverride) => Promise<Stack>) {
    this.#start = start;
  }

  /** The kept stack if it was started with the same changes, otherwise a new one. @throws What `start` throws. */
  async provide(override: ComposeOverride): Promise<Stack> {
    const wanted = JSON.stringify(override);
    if (this.#kept?.override === wanted) return this.#kept.stack;
    await this.discard();
    const stack = await this.#start(override);
    this.#kept = { stack, override: wanted };
    return stack;
  }

  /** Removes the stack, even after the run has been aborted. */
  async discard(): Promise<void> {
    const kept = this.#kept;
    this.#kept = null;
    await kept?.stack.close();
  }
}
