import type { Output } from './open-output.ts';

/** Shared by commands while they run. */
export interface Session {
  /** For results. */
  readonly output: Output;
  /** For messages: whole lines, already escaped. */
  readonly writeError: (text: string) => void;
  readonly setExitCode: (code: number) => void;
  /** Aborts when the user ends the program. */
  readonly signal: AbortSignal;
  /** From now on a signal ends the program without a word: for work during which nothing can be told to stop. */
  readonly endOnSignals: () => void;
}
