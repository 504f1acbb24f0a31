import { constants } from 'node:os';
import { setImmediate as nextCheck } from 'node:timers/promises';

/** They end the program. */
export const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Someone ended the program. */
export class Interruption extends Error {
  override readonly name = 'Interruption';
  /** 128 + the signal's number. */
  readonly exitCode: number;

  constructor(signal: (typeof signals)[number]) {
    super(`ended by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** When the end takes longer, a terminal shows how to end at once. */
const quietMs = 1_000;

/**
 * Aborts with an `Interruption` at the first signal; a second one ends the process at once. A terminal shows this when the end takes long.
 *
 * @param prefix The beginning of the line.
 */
export function listenForSignals(prefix: string): AbortSignal {
  const interrupted = new AbortController();
  const take = (signal: (typeof signals)[number]) => {
    const interruption = new Interruption(signal);
    if (interrupted.signal.aborted) process.exit(interruption.exitCode);
    interrupted.abort(interruption);
    const tell = () => {
      // A command that has stopped listening prints its own text.
      if (process.listeners(signal).includes(take))
        tellTerminal(`${prefix}ending; a second signal (Ctrl-C) ends it at once`);
    };
    setTimeout(tell, quietMs).unref();
  };
  for (const signal of signals) process.on(signal, take);
  return interrupted.signal;
}

/** Prints a line for people: standard error that is no terminal holds only the report. @param line Escaped. */
export function tellTerminal(line: string): void {
  if (process.stderr.isTTY === true) process.stderr.write(`${line}\n`);
}

/** From now on signals end the process as they do by default. */
export function stopListening(): void {
  for (const signal of signals) process.removeAllListeners(signal);
}

/** Lets signals that have come reach their listeners: Node.js polls for them once between two check phases of its event loop. */
export async function deliverSignals(): Promise<void> {
  await nextCheck();
  await nextCheck();
}

/**
 * Hands signals, and SIGQUIT, to `take` alone, until the function that it returns is called. A signal always has a listener: with the
 * last one Node.js would drop a signal that it has not delivered yet.
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
