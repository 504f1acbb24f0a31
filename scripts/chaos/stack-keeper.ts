import { type ComposeOverride, type Stack, startStack } from './stack.ts';

/** Keeps one stack from run to run, as long as nobody discards it. */
export class StackKeeper {
  readonly #project: string;
  readonly #signal: AbortSignal;
  #kept: { readonly stack: Stack; readonly override: string } | null = null;

  constructor(project: string, signal: AbortSignal) {
    this.#project = project;
    this.#signal = signal;
  }

  /** The stack that is there, if it was started with the same changes, or a new one. @throws {CommandError} */
  async provide(override: ComposeOverride): Promise<Stack> {
    const wanted = JSON.stringify(override);
    if (this.#kept?.override === wanted) return this.#kept.stack;
    await this.discard();
    const stack = await startStack({ project: this.#project, override, signal: this.#signal });
    this.#kept = { stack, override: wanted };
    return stack;
  }

  /** Removes the stack, also when the run has been ended. */
  async discard(): Promise<void> {
    const kept = this.#kept;
    this.#kept = null;
    await kept?.stack.close();
  }
}
