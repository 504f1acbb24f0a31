import { constants } from 'node:os';
import { setImmediate as nextCheck } from 'node:timers/promises';

/** Signals that end the program. */
export const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The user ended the program by a signal. */
export class Interruption extends Error {
  override readonly name = 'Interruption';
  /** 128 + the number of the signal. */
  readonly exitCode: number;

  constructor(signal: (typeof signals)[number]) {
    super(`ended by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** When ending takes longer than this, a terminal shows how to end at once. */
const quietMs = 1_000;

/**
 * Aborts with an `Interruption` at the first signal. A second signal ends the process at once.
 *
 * @param prefix The beginning of the line that says so on a terminal.
 */
export function listenForSignals(prefix: string): AbortSignal {
  const interrupted = new AbortController();
  const take = (signal: (typeof signals)[number]) => {
    const interruption = new Interruption(signal);
    if (interrupted.signal.aborted) process.exit(interruption.exitCode);
    interrupted.abort(interruption);
    const announce = () => {
      // Not where the command has diverted its signals: it prints its own text.
      if (process.listeners(signal).includes(take))
        writeToTerminal(`${prefix}ending; a second signal (Ctrl-C) ends it at once`);
    };
    setTimeout(announce, quietMs).unref();
  };
  for (const signal of signals) process.on(signal, take);
  return interrupted.signal;
}

/** Prints a line on a terminal only: where standard error is a file or a pipe, it holds only the report. @param line Escaped. */
export function writeToTerminal(line: string): void {
  if (process.stderr.isTTY === true) process.stderr.write(`${line}\n`);
}

/** Restores the default action of the signals: they end the process. */
export function stopListening(): void {
  for (const signal of signals) process.removeAllListeners(signal);
}

/** Waits until pending signals have reached their listeners: Node.js polls for signals once between two check phases of its event loop. */
export async function deliverSignals(): Promise<void> {
  await nextCheck();
  await nextCheck();
}

/**
 * Directs the signals and SIGQUIT to `take` alone, until the returned function is called. Listeners are added before others are removed:
 * when the last listener of a signal goes, Node.js drops a signal that it has not delivered yet.
 */
export function divertSignals(take: (signal: NodeJS.Signals) => void): () => void {
  const diverted = ([...signals, 'SIGQUIT'] as const).map((signal) => ({
    signal,
    listeners: process.listeners(signal),
  }));
  for (const { signal, listeners } of diverted) {
    process.on(signal, take);
    for (const listener of listeners) process.off(signal, listener);
  }
  return () => {
    for (const { signal, listeners } of diverted) {
      for (const listener of listeners) process.on(signal, listener);
      process.off(signal, take);
    }
  };
}
