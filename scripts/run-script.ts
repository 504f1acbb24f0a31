import { CommanderError } from 'commander';
import { FaultError } from 'faults';
import { SourceError } from 'propagation-check';
import { escapeText, Interruption, listenForSignals, UsageError } from 'propagation-check/kit';
import { ServiceStartError } from './service-process.ts';

/**
 * Runs a script to its exit code. A signal aborts what it does and, once it has cleaned up, gives 128 + the signal's
 * number; a second one does not wait. Errors that the user can mend are one line on stderr, with exit code 2.
 *
 * @param name Of the program: its errors begin with it.
 */
export async function runScript(
  main: (signal: AbortSignal) => Promise<number>,
  name: string | null = null,
): Promise<void> {
  const prefix = name === null ? '' : `${name}: `;
  const interrupted = listenForSignals(prefix);
  try {
    process.exitCode = await main(interrupted);
  } catch (error) {
    // The interruption is the reason of every failure that it causes.
    process.exitCode = explain(interrupted.aborted ? interrupted.reason : error, prefix);
  }
}

function explain(error: unknown, prefix: string): number {
  if (error instanceof Interruption) return error.exitCode;
  // Commander has printed its message.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const isExplained = [FaultError, ServiceStartError, SourceError, UsageError].some(
    (kind) => error instanceof kind,
  );
  if (isExplained && error instanceof Error) {
    for (const line of error.message.split('\n')) process.stderr.write(`${prefix}${escapeText(line)}\n`);
    return 2;
  }
  // A fault of this program is no verdict on a trace, and must not look like one (1).
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${prefix}internal error: ${escapeText(text)}\n`);
  return 2;
}
