import { basename } from 'node:path';
import { type CheckedSpans, checkReceived } from '../collect/check-received.ts';
import { makeChildEnvironment } from '../collect/child-environment.ts';
import { withDoubt } from '../collect/judge.ts';
import { listSilences } from '../collect/list-silences.ts';
import { escapeText } from '../report/escape-text.ts';
import type { CommandEnd } from '../report/json.ts';
import { type ReadInputs, readAnew, readCheckInputs, readCollector } from './check-inputs.ts';
import type { SourceArguments } from './common-options.ts';
import { countSeenRequests, failedRequestsDoubt } from './count-requests.ts';
import { describeUnexported } from './describe-unexported.ts';
import { describeWaiting } from './describe-waiting.ts';
import { explainCommandSilence } from './explain-command-silence.ts';
import { deliverSignals, writeToTerminal } from './interruption.ts';
import { openNamedSource } from './open-named-source.ts';
import { openOutput } from './open-output.ts';
import { type Judged, printReport } from './print-report.ts';
import { graceMs, runChild } from './run-child.ts';
import type { Session } from './session.ts';
import { createProgress } from './show-progress.ts';
import { UsageError } from './usage-error.ts';

export interface ExecArguments extends SourceArguments {
  readonly allowFailedRequests?: boolean;
}

/**
 * Runs a command whose processes export to a receiver of this tool, and judges the spans that arrived. Reports go to standard error,
 * because standard output belongs to the command.
 *
 * @returns The exit code of the command where it failed, otherwise that of the check.
 * @throws {Interruption} when a signal came before the command is started.
 */
export async function checkCommand(
  command: readonly [string, ...string[]],
  args: ExecArguments,
  { signal, writeError }: Session,
): Promise<number> {
  if (!/^otlp(?:=|$)/.test(args.source))
    throw new UsageError('--source: the spans of a command come to a receiver; use otlp=HOST:PORT');
  const inputs = await readCheckInputs(args);
  const name = basename(command[0]);
  const source = await openNamedSource(args, { writeError });
  const progress = createProgress();
  try {
    const { env, notes } = makeChildEnvironment(process.env, source.url ?? '', args.forward !== undefined);
    const silences = listSilences(env);
    const onLeftBehind = () =>
      progress.show(
        () =>
          `${name} has ended: waiting for processes that it left behind (at most ${graceMs / 1_000} s; Ctrl-C ends them)`,
      );
    await deliverSignals();
    // Nothing is awaited between this line and the start of the command: a signal from here on is forwarded to the command.
    signal.throwIfAborted();
    const { exitCode, leftBehind } = await runChild(command, env, {
      onLeftBehind,
      onSignal: (signal, left) => printSignal(`${name} got ${signal}`, left),
    });
    const checked = await checkReceived({
      source,
      readInputs: () => readAnew(inputs),
      waitMs: args.wait,
      settleMs: args.settle,
      signal,
      onWait: (waiting) => progress.show(() => describeWaiting(source.name, waiting)),
      explainSilence: () => explainCommandSilence({ name, exitCode, silences }),
    });
    progress.clear();
    const aside = [
      ...notes,
      // Variables that keep spans away explain why nothing arrived.
      ...(checked.spans.length === 0 ? [] : silences),
      ...(leftBehind ? [`processes that ${name} left behind were ended`] : []),
    ];
    const judged = await judgeCommand(checked, { name, exitCode }, aside, inputs, args, signal);
    const verdict = await printReport(judged, args, openOutput(process.stderr));
    return exitCode === 0 ? verdict : exitCode;
  } finally {
    progress.clear();
    await source.close();
  }
}

/**
 * Judges the spans and the requests of a command. Failed requests leave the verdict open.
 *
 * @param notes Notes on the command, which precede those of the check.
 */
async function judgeCommand(
  { result: received, details, spans, store }: CheckedSpans,
  command: CommandEnd,
  notes: readonly string[],
  inputs: ReadInputs,
  args: ExecArguments,
  signal: AbortSignal,
): Promise<Judged> {
  const requests = countSeenRequests(spans);
  const isDoubtful = requests.failed > 0 && args.allowFailedRequests !== true;
  const result = withDoubt(received, isDoubtful);
  const all = {
    ...details,
    ...(result === received ? {} : { reason: failedRequestsDoubt }),
    ...(requests.sent === 0 ? {} : { requests }),
    notes: [
      ...notes,
      ...(await inputs.wireFiles.describeGaps(store)),
      ...details.notes,
      ...describeUnexported(result, command.name),
    ],
    collector: await readCollector(args, signal),
    command,
  };
  return { result, details: all, readStore: () => store, inputs, isDoubtful };
}

function printSignal(what: string, left: number): void {
  const more = left === 1 ? 'one more signal (Ctrl-C) kills it' : `${left} more signals (Ctrl-C) kill it`;
  writeToTerminal(`propagation-check: ${escapeText(what)}; ${more}`);
}
