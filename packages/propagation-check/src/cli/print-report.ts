import { listMisspelt } from '../collect/hint-at-expectations.ts';
import type { CheckInputs } from '../collect/judge.ts';
import type { ReportDetails } from '../report/json.ts';
import { pickSpans } from '../report/pick-spans.ts';
import { type ReportInput, type ReportName, reports } from '../report/reports.ts';
import { findDocsRoot } from '../source/find-docs-root.ts';
import { listServiceNames, type SpanStore } from '../span/span-store.ts';
import { remember } from '../util/remember.ts';
import { decideOutcome } from '../verdict/decide-verdict.ts';
import type { Result } from '../verdict/result.ts';
import { settleBaseline } from './baseline-file.ts';
import type { CheckArguments } from './common-options.ts';
import type { Output } from './open-output.ts';
import { type ReportTarget, withPrinted } from './parse-report.ts';
import { readPageScript } from './read-page-script.ts';
import { ReportError } from './usage-error.ts';
import { writeReports } from './write-reports.ts';

/** A check as it is reported. */
export interface Judged {
  readonly result: Result;
  readonly details: ReportDetails;
  /** The spans that were judged, as objects. Called only where a report draws traces. */
  readonly readStore: () => SpanStore;
  readonly inputs: CheckInputs;
  /** The verdict is in doubt: traces are missing, or requests failed. */
  readonly isDoubtful?: boolean;
}

/**
 * Prints the report that was asked for, or the report for people, and writes the others to their files.
 *
 * @returns The exit code: 0 intact, 1 broken (or a warning with `--fail-on warning`), 2 unknown.
 * @throws {ReportError} when a file cannot be written, after everything else is printed and written.
 */
export async function printReport(judged: Judged, args: CheckArguments, output: Output): Promise<number> {
  const { failOn } = args;
  const { expectation, baseline = [] } = judged.inputs;
  const readOnce = remember(judged.readStore);
  const unsettled = {
    ...judged,
    listMisspelt: () => listMisspelt(listServiceNames(readOnce()), expectation),
  };
  const { result, notes, failure } = await settleBaseline(unsettled, baseline, args);
  const input: ReportInput = {
    result,
    details: {
      ...judged.details,
      notes: [...judged.details.notes, ...notes],
      ...(failOn === 'warning' ? { failOn } : {}),
    },
    options: { ...output, docsRoot: findDocsRoot() },
    pickSpans: (most) => pickSpans(readOnce(), result, most),
    readPageScript,
  };
  const targets = listTargets(args, (await isWatched(output)) ? 'tree' : 'terminal');
  const unwritten = await writeReports(targets, ({ name }) => reports[name].render(input), output);
  const failures = [...(failure === null ? [] : [failure]), ...unwritten];
  if (failures.length > 0) throw new ReportError(failures.join('; '));
  return { passed: 0, failed: 1, unknown: 2 }[decideOutcome(result, failOn)];
}

/** Whether a person reads the output. Coding agents run commands in a terminal too, and get text. */
export async function isWatched({ isTerminal = false }: Output): Promise<boolean> {
  return isTerminal && !(await import('std-env')).isAgent;
}

function listTargets(
  { report = [], json = false }: CheckArguments,
  standard: ReportName,
): readonly ReportTarget[] {
  return withPrinted(reports, json ? 'json' : standard, report);
}
