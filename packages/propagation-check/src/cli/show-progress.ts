import type { Ora } from 'ora';
import { signals } from './interruption.ts';

/** A line on standard error that tells people at a terminal how far long work is. */
export interface Progress {
  /** Shows a text from now on. @param render Of the columns that it may take. */
  show(render: (columns: number) => string): void;
  /** Shows a text at once, for work that lets nothing else run. Signals end the process then as they did before. */
  announce(text: string): Promise<void>;
  /** Removes the line; nothing is shown any more. */
  clear(): void;
}

/** Shorter work shows nothing. */
const quietMs = 1_000;
/** Of the spinner and the space behind it; and a terminal may break the line at its last column. */
const otherColumns = 3;

/** Nothing is shown where standard error is no terminal. */
export function createProgress(): Progress {
  const { stderr, env } = process;
  // A terminal without a size has 0 columns, on which no line can be cleared.
  const isWatched = stderr.isTTY === true && stderr.columns > 0 && env.TERM !== 'dumb';
  const since = performance.now();
  let text = '';
  let spinner: Ora | null = null;
  let loading: Promise<void> | null = null;
  let isCleared = false;

  const load = async () => {
    const { default: ora } = await import('ora');
    if (isCleared) return;
    // The cursor stays: the listener that would bring it back keeps Ctrl-C from work that lets nothing else run.
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
    // Another listener ends what is under way.
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
