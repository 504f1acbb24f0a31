import type { AuditResult } from '../audit/audit-result.ts';
import { nextState } from '../audit/audit-state.ts';
import { type AuditInput, auditWindow } from '../audit/audit-window.ts';
import { type ReadWindow, readWindows } from '../audit/read-windows.ts';
import { describeUnchanged, signatureOf } from '../audit/report/describe-turn.ts';
import { describeStore } from '../collect/describe-store.ts';
import { explainNothingToJudge } from '../collect/explain-nothing-to-judge.ts';
import { hintAtExpectations, listMisspelt } from '../collect/hint-at-expectations.ts';
import { type CheckInputs, judge } from '../collect/judge.ts';
import { pauseFor } from '../collect/pause-for.ts';
import { escapeText } from '../report/escape-text.ts';
import { formatTime } from '../report/format-time.ts';
import { pathOfFileSpec } from '../source/parse-source-spec.ts';
import { SourceError } from '../source/source.ts';
import type { CollectorCounters } from '../span/collector-counters.ts';
import { listServiceNames } from '../span/span-store.ts';
import { applyBaseline } from '../verdict/apply-baseline.ts';
import type { Result } from '../verdict/result.ts';
import type { AuditArguments } from './audit-arguments.ts';
import { readStateFile, writeStateFile } from './audit-state-file.ts';
import { type Settled, settleBaseline } from './baseline-file.ts';
import { type ReadInputs, readCheckInputs, readCollector } from './check-inputs.ts';
import { expandPaths } from './expand-paths.ts';
import { explainNoSpan } from './explain-no-span.ts';
import { openAuditSource } from './open-audit-source.ts';
import { type Audited, printAudit } from './print-audit.ts';
import { hasPath, writeFailure } from './report-failure.ts';
import type { Session } from './session.ts';
import { createProgress } from './show-progress.ts';
import { ReportError, UsageError } from './usage-error.ts';

const exitCodes = { passed: 0, failed: 1, unknown: 2 } as const;

/** Runs one audit, or with `--every` repeats it until the user ends it. Sets the exit code. */
export async function runAudit(
  paths: readonly string[],
  args: AuditArguments,
  session: Session,
): Promise<void> {
  refuseContradictions(args);
  const { output, signal } = session;
  const inputs = await readCheckInputs(args, await expandPaths(listRead(paths, args)));
  const { wireFiles, baseline: _, ...judging } = inputs;
  let { wire } = inputs;
  let state = await readStateFile(args.state);
  let collector: CollectorCounters | null = null;
  let progress = createProgress();
  let printed: string | null = null;
  const source = await openAuditSource(paths, args, {
    judge: (store) => judge(store, { ...judging, wire }, collector).result,
    expectation: inputs.expectation,
    showProgress: (render) => progress.show(render),
  });

  /** @returns the exit code. */
  const turn = async (): Promise<number> => {
    const at = new Date();
    progress = createProgress();
    wire = await wireFiles.read();
    collector = await readCollector(args, signal);
    const options = { ...args, latest: at.getTime() - args.settle };
    const windows = await readWindows(source, options, signal).finally(progress.clear);
    const turnOf = { source: source.name, state, ...windows };
    const { failure, ...audited } = await auditTurn(turnOf, collector, inputs, args);
    const { audit } = audited;
    state = nextState(state, audit, at);
    const signature = signatureOf(audit);
    const line = signature === printed ? describeUnchanged(audit, at) : null;
    const failures = [
      failure,
      ...(await printAudit({ ...audited, line }, args, output)),
      args.state === undefined ? null : await writeStateFile(args.state, state),
    ].filter((each) => each !== null);
    printed = signature;
    if (failures.length > 0) throw new ReportError(failures.join('; '));
    return exitCodes[audit.outcome];
  };

  const fail = async (reason: string): Promise<void> => {
    printed = null;
    const targets = (args.report ?? []).filter(hasPath);
    await writeFailure(targets, { isAudit: true, source: source.name, reason }, output);
  };
  try {
    // Judging blocks the event loop, so that no listener would see Ctrl-C: signals have to end the process themselves.
    if (args.every === undefined && source.findEnd !== undefined) session.endOnSignals();
    if (args.every !== undefined) await repeat(turn, fail, args.every, session);
    else session.setExitCode(await turn());
  } finally {
    progress.clear();
    await source.close();
  }
}

/** One audit with its notes. */
async function auditTurn(
  turn: TurnInput,
  collector: CollectorCounters | null,
  inputs: ReadInputs,
  args: AuditArguments,
): Promise<Omit<Audited, 'line'> & Pick<Settled, 'failure'>> {
  const { source, now } = turn;
  const { audit, notes, failure } = await settle(turn, inputs, args);
  const store = now.store ?? null;
  const reason = explainOutcome(audit, now, inputs);
  const said = [
    ...(store === null ? [] : describeStore(store)),
    ...(await inputs.wireFiles.describeGaps(store)),
    ...hintAtExpectations(audit.result, listServices(now), inputs.expectation),
    ...notes,
  ];
  const details = { source, reason, notes: said, collector };
  return { audit, details, store, isRepeated: args.every !== undefined, failure };
}

function refuseContradictions({ every, until, updateBaseline, failUnder, failOn }: AuditArguments): void {
  if (every !== undefined && until !== undefined)
    throw new UsageError('--every: each window ends at its own time; leave --until out');
  if (every !== undefined && updateBaseline === true)
    throw new UsageError('--every: --update-baseline is for one audit');
  if (failUnder !== undefined && failOn === 'warning')
    throw new UsageError(
      '--fail-under makes warnings of broken calls above it, and --fail-on warning fails on them',
    );
}

type TurnInput = Omit<AuditInput, 'failUnder' | 'failOn'>;

/** Applies the baseline to the audit; `--update-baseline` writes it. */
async function settle(
  { now, ...input }: TurnInput,
  { baseline = [], expectation }: CheckInputs,
  args: AuditArguments,
): Promise<{ readonly audit: AuditResult } & Pick<Settled, 'notes' | 'failure'>> {
  const { failUnder = null, failOn } = args;
  const auditResult = (result: Result) =>
    auditWindow({ ...input, failUnder, failOn, now: { ...now, result } });
  const judged = auditResult(applyBaseline(now.result, baseline));
  const unsettled = {
    result: judged.result,
    listMisspelt: () => listMisspelt(listServices(now), expectation),
  };
  const { result, notes, failure } = await settleBaseline(unsettled, baseline, args);
  return { audit: result === judged.result ? judged : auditResult(result), notes, failure };
}

/** Repeats the audit. A failed turn is reported, counts as `unknown`, and the next one tries again. The exit code is that of the last turn. */
async function repeat(
  turn: () => Promise<number>,
  fail: (reason: string) => Promise<void>,
  everyMs: number,
  { output, signal, setExitCode, writeError }: Session,
): Promise<void> {
  let exitCode: number | null = null;
  for (;;) {
    const next = Date.now() + everyMs;
    try {
      exitCode = await turn();
    } catch (error) {
      if (signal.aborted) break;
      if (!(error instanceof SourceError || error instanceof ReportError)) throw error;
      exitCode = exitCodes.unknown;
      const at = formatTime(new Date(next).toISOString());
      writeError(`propagation-check: ${escapeText(error.message)} (next try at ${at} UTC)\n`);
      // After a `ReportError` the other reports hold the result of this turn.
      if (error instanceof SourceError) await fail(error.message);
    }
    if (output.isGone?.() === true) break;
    await pauseFor(Math.max(0, next - Date.now()), signal).catch(() => undefined);
    if (signal.aborted) break;
  }
  // Ctrl-C is the usual end. Without a finished turn there is no result, and the command ends as interrupted.
  if (exitCode === null) throw signal.reason;
  setExitCode(exitCode);
}

function explainOutcome(
  { outcome, result, source }: AuditResult,
  now: ReadWindow,
  { expectation }: CheckInputs,
): string | null {
  if (outcome !== 'unknown') return null;
  if (result.traces > 0) return explainNothingToJudge(result, listServices(now), expectation);
  if (now.otherSignals !== undefined) return explainNoSpan(source, now.otherSignals);
  return `${source}: no trace begins in the window; check that services export to it, or look further back with --since or --until`;
}

/** The services of the spans; of the edges where the source does not give its spans. */
function listServices({ store, result }: ReadWindow): readonly (string | null)[] {
  if (store !== undefined) return listServiceNames(store);
  return result.edges.flatMap(({ client, server }) => [client, server]);
}

function listRead(paths: readonly string[], { source }: AuditArguments): readonly string[] {
  const path = source === undefined ? null : pathOfFileSpec(source);
  return path === null ? paths : [path];
}
