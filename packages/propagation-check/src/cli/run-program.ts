import { debuglog } from 'node:util';
import { CommanderError } from 'commander';
import { escapeText } from '../report/escape-text.ts';
import { SourceError } from '../source/source.ts';
import { createProgram } from './create-program.ts';
import { Interruption, listenForSignals, stopListening } from './interruption.ts';
import { openOutput } from './open-output.ts';
import type { Session } from './session.ts';
import { UsageError } from './usage-error.ts';

/**
 * Runs the command line and sets `process.exitCode`: 0, 1 or 2 as the commands say, 2 for bad input, 128 + its number
 * for a signal. A second signal does not wait for what is under way.
 * @param args As in `process.argv`.
 */
export async function runProgram(args: readonly string[]): Promise<void> {
  await execute(args, {
    output: openOutput(),
    writeError: (text) => process.stderr.write(text),
    setExitCode: (code) => {
      process.exitCode = code;
    },
    signal: listenForSignals(),
    endOnSignals: stopListening,
  });
}

/** Runs the command line to its exit code. Never rejects. */
export async function execute(args: readonly string[], session: Session): Promise<void> {
  try {
    await createProgram(session).parseAsync([...args]);
  } catch (error) {
    // After an interruption any failure is its consequence.
    const cause = session.signal.aborted ? session.signal.reason : error;
    session.setExitCode(explain(cause, session));
  }
}

function explain(error: unknown, session: Session): number {
  if (error instanceof Interruption) {
    say('interrupted, no verdict', session);
    return error.exitCode;
  }
  // Commander has printed its message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const isKnown = error instanceof UsageError || error instanceof SourceError;
  if (isKnown) say(error.message, session);
  else {
    debuglog('propagation-check')('%O', error);
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    say(`a fault of this tool: ${message}; with NODE_DEBUG=propagation-check it says where`, session);
  }
  return 2;
}

function say(message: string, { writeError }: Session): void {
  writeError(`propagation-check: ${escapeText(message.replace(/\s*\n\s*/g, ' '))}\n`);
}
