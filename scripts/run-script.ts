import { CommanderError } from 'commander';
import { FaultError } from 'faults';
import { SourceError } from 'propagation-check';
import { escapeText, Interruption, listenForSignals, UsageError } from 'propagation-check/kit';
import { ServiceStartError } from './service-process.ts';

/**
 * Runs a script and sets its exit code. A signal aborts the script; after its clean-up the exit code is 128 + the signal's number. A second
 * signal ends it at once. Errors that the user can fix are one line on stderr, with exit code 2.
 *
 * @param name The program's name, with which its errors begin.
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
    // After an interruption its reason is reported, not the failures that it causes.
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
  // Not exit code 1, because an error of this program is not a verdict on a trace.
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${prefix}internal error: ${escapeText(text)}\n`);
  return 2;
}
