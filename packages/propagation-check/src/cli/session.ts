import type { Output } from './open-output.ts';

/** Shared by commands while they run. */
export interface Session {
  /** The output for results. */
  readonly output: Output;
  /** Writes messages to standard error: whole lines, escaped. */
  readonly writeError: (text: string) => void;
  readonly setExitCode: (code: number) => void;
  /** Aborts when the user ends the program. */
  readonly signal: AbortSignal;
  /** From now on a signal ends the process at once and without a message: for synchronous work, which cannot be aborted. */
  readonly endOnSignals: () => void;
}
