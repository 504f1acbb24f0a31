import { debuglog } from 'node:util';
import { type Command, CommanderError } from 'commander';
import { escapeText } from '../report/escape-text.ts';
import { SourceError } from '../source/source.ts';
import { createProgram } from './create-program.ts';
import { Interruption, listenForSignals, stopListening } from './interruption.ts';
import { nameOtherCommands } from './name-other-commands.ts';
import { openOutput } from './open-output.ts';
import { reportFailure } from './report-failure.ts';
import type { Session } from './session.ts';
import { toErrorLine } from './to-error-line.ts';
import { ReportError, UsageError } from './usage-error.ts';

/**
 * Runs the command line and sets `process.exitCode`: 0, 1 or 2 as the commands say, 2 for bad input, 128 + the number of the signal
 * after a signal. A second signal ends the process at once.
 * @param args As in `process.argv`.
 */
export async function runProgram(args: readonly string[]): Promise<void> {
  await execute(args, {
    output: openOutput(),
    writeError: (text) => process.stderr.write(text),
    setExitCode: (code) => {
      process.exitCode = code;
    },
    signal: listenForSignals('propagation-check: '),
    endOnSignals: stopListening,
  });
}

/** Runs the command line and sets the exit code. Never rejects. */
export async function execute(args: readonly string[], session: Session): Promise<void> {
  const program = createProgram(session);
  try {
    await program.parseAsync([...args]);
  } catch (error) {
    // After an interruption every error is its consequence.
    const cause = session.signal.aborted ? session.signal.reason : error;
    const { exitCode, reason } = explain(program, cause);
    session.setExitCode(exitCode);
    // Commander has already printed its message or the help.
    if (!(cause instanceof CommanderError)) session.writeError(`${program.name()}: ${reason}\n`);
    if (exitCode === 0 || cause instanceof ReportError) return;
    await reportFailure(program, args.slice(2), reason, session.output);
  }
}

interface Ending {
  readonly exitCode: number;
  /** One line, without the name of the program. */
  readonly reason: string;
}

function explain(program: Command, error: unknown): Ending {
  if (error instanceof Interruption) return { exitCode: error.exitCode, reason: 'interrupted, no verdict' };
  if (error instanceof CommanderError)
    return {
      exitCode: error.exitCode === 0 ? 0 : 2,
      reason: toErrorLine(error.message, nameOtherCommands(program, error.message)),
    };
  return { exitCode: 2, reason: escapeText(describe(error).replace(/\s*\n\s*/g, ' ')) };
}

function describe(error: unknown): string {
  if (error instanceof UsageError || error instanceof SourceError) return error.message;
  debuglog('propagation-check')('%O', error);
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return `a fault of this tool: ${message}; with NODE_DEBUG=propagation-check it says where`;
}
