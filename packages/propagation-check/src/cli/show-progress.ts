import type { Ora } from 'ora';
import { signals } from './interruption.ts';

/** A line on standard error that shows the progress of long work on a terminal. */
export interface Progress {
  /** Shows a text from now on. @param render Renders the text into so many columns. */
  show(render: (columns: number) => string): void;
  /** Shows a text at once, before synchronous work. Until that has ended signals have their default action. */
  announce(text: string): Promise<void>;
  /** Removes the line; nothing is shown after that. */
  clear(): void;
}

/** Work that takes less time shows no progress. */
const quietMs = 1_000;
/** Columns for the spinner, the space behind it, and the last column, at which a terminal may wrap. */
const otherColumns = 3;

/** Without a terminal on standard error nothing is shown. */
export function createProgress(): Progress {
  const { stderr, env } = process;
  // A terminal of unknown size reports 0 columns; no line can be cleared there.
  const isWatched = stderr.isTTY === true && stderr.columns > 0 && env.TERM !== 'dumb';
  const since = performance.now();
  let text = '';
  let spinner: Ora | null = null;
  let loading: Promise<void> | null = null;
  let isCleared = false;

  const load = async () => {
    const { default: ora } = await import('ora');
    if (isCleared) return;
    // ora would hide the cursor with a signal listener that brings it back. With that listener Ctrl-C would not end synchronous work.
    const options = { hideCursor: false, discardStdin: false, isEnabled: true, color: false } as const;
    for (const signal of signals) process.on(signal, clearAndEnd);
    spinner = ora({ ...options, stream: stderr, text }).start();
  };
  const clear = () => {
    isCleared = true;
    for (const signal of signals) process.off(signal, clearAndEnd);
    spinner?.stop();
    spinner = null;
  };
  const clearAndEnd = (signal: NodeJS.Signals) => {
    clear();
    // With another listener left, that one ends the work.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  return {
    show(render) {
      if (!isWatched || isCleared || performance.now() - since < quietMs) return;
      text = render(stderr.columns - otherColumns);
      if (spinner === null) loading ??= load();
      else spinner.text = text;
    },
    async announce(next) {
      if (!isWatched) return;
      text = next;
      loading ??= load();
      await loading;
      for (const signal of signals) process.off(signal, clearAndEnd);
      if (spinner === null) return;
      spinner.text = text;
      spinner.render();
    },
    clear,
  };
}
