import type { AuditResult } from '../audit/audit-result.ts';
import { nextState } from '../audit/audit-state.ts';
import { auditWindow } from '../audit/audit-window.ts';
import { type ReadWindow, readWindows } from '../audit/read-windows.ts';
import { describeUnchanged, signatureOf } from '../audit/report/describe-turn.ts';
import { explainNothingToJudge, hintAtExpectations } from '../collect/hint-at-expectations.ts';
import { judgeStore } from '../collect/judge.ts';
import { pauseFor } from '../collect/pause-for.ts';
import type { Expectation } from '../expect/expectation.ts';
import { escapeText } from '../report/escape-text.ts';
import { SourceError } from '../source/source.ts';
import { applyBaseline } from '../verdict/apply-baseline.ts';
import type { AuditArguments } from './audit-arguments.ts';
import { readStateFile, writeStateFile } from './audit-state-file.ts';
import { settleBaseline } from './baseline-file.ts';
import { readAnew, readCheckInputs, readCollector } from './check-inputs.ts';
import { openAuditSource } from './open-audit-source.ts';
import { printAudit } from './print-audit.ts';
import type { Session } from './session.ts';
import { createProgress } from './show-progress.ts';
import { ReportError, UsageError } from './usage-error.ts';

const exitCodes = { passed: 0, failed: 1, unknown: 2 } as const;

/** Audits once, or again and again until the user ends it. Sets the exit code. */
export async function runAudit(
  paths: readonly string[],
  args: AuditArguments,
  session: Session,
): Promise<void> {
  refuseContradictions(args);
  const { output, signal } = session;
  const inputs = await readCheckInputs(args, paths);
  const { baseline = [], ...others } = inputs;
  let state = await readStateFile(args.state);
  let collector = await readCollector(args, signal);
  let given = { ...others };
  let progress = createProgress();
  let printed: string | null = null;
  const source = await openAuditSource(paths, args, {
    judge: (store) => judgeStore(store, given, collector),
    expectation: inputs.expectation,
    showProgress: (render) => progress.show(render),
  });

  /** @returns the exit code. */
  const audit = async (): Promise<number> => {
    const at = new Date();
    progress = createProgress();
    given = { ...others, ...(await readAnew(inputs)) };
    collector = await readCollector(args, signal);
    const options = { ...args, latest: at.getTime() - args.settle };
    const { now, before } = await readWindows(source, options, signal).finally(progress.clear);
    const settings = {
      source: source.name,
      before,
      state,
      failUnder: args.failUnder ?? null,
      failOn: args.failOn,
    };
    const judged = auditWindow({ ...settings, now: { ...now, result: applyBaseline(now.result, baseline) } });
    const settled = await settleBaseline(judged, baseline, args);
    const audited =
      settled.result === judged.result
        ? judged
        : auditWindow({ ...settings, now: { ...now, result: settled.result } });
    state = nextState(state, audited, at);
    const details = {
      source: source.name,
      reason: explainOutcome(audited, now, inputs.expectation),
      notes: [
        ...(await inputs.wireFiles.describeGaps()),
        ...hintAtExpectations(audited.result, listServices(now), inputs.expectation),
        ...settled.notes,
      ],
      collector,
    };
    const signature = signatureOf(audited);
    const line = signature === printed ? describeUnchanged(audited, at) : null;
    const store = now.store ?? null;
    const isRepeated = args.every !== undefined;
    const failures = [
      ...(settled.failure === null ? [] : [settled.failure]),
      ...(await printAudit({ audit: audited, details, store, isRepeated, line }, args, output)),
    ];
    printed = signature;
    const unwritten = args.state === undefined ? null : await writeStateFile(args.state, state);
    if (unwritten !== null) failures.push(unwritten);
    if (failures.length > 0) throw new ReportError(failures.join('; '));
    return exitCodes[audited.outcome];
  };

  try {
    if (args.every !== undefined) await repeat(audit, args.every, session);
    else session.setExitCode(await audit());
  } finally {
    progress.clear();
    await source.close();
  }
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

/** An audit that fails is said, and the next one tries again. The exit code is that of the last audit that ended. */
async function repeat(audit: () => Promise<number>, everyMs: number, session: Session): Promise<void> {
  const { signal, setExitCode, writeError } = session;
  let exitCode: number | null = null;
  while (!signal.aborted) {
    const next = Date.now() + everyMs;
    try {
      exitCode = await audit();
    } catch (error) {
      if (signal.aborted) break;
      if (!(error instanceof SourceError || error instanceof ReportError)) throw error;
      exitCode = exitCodes.unknown;
      const at = new Date(next).toISOString();
      writeError(`propagation-check: ${escapeText(error.message)}; tried again at ${at}\n`);
    }
    await pauseFor(Math.max(0, next - Date.now()), signal).catch(() => undefined);
  }
  // Ctrl-C is how it ends; before the first audit there is nothing to tell.
  if (exitCode === null) throw signal.reason;
  setExitCode(exitCode);
}

function explainOutcome(
  { outcome, result, source, window }: AuditResult,
  now: ReadWindow,
  expectation: Expectation,
): string | null {
  if (outcome !== 'unknown') return null;
  if (result.traces > 0) return explainNothingToJudge(result, listServices(now), expectation);
  if (window.from === null && window.to === null) return `${source}: no span in it`;
  return `${source}: no trace begins in the window; check that services export to it, or look further back with --since or --until`;
}

/** A source that keeps its spans to itself has no list of services beside that of its edges. */
function listServices({ store, result }: ReadWindow): readonly (string | null)[] {
  if (store !== undefined) return store.resourceTable.map(({ serviceName }) => serviceName);
  return result.edges.flatMap(({ client, server }) => [client, server]);
}
