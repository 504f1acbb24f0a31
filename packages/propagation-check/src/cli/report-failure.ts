import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { type ReportInput, type ReportName, reports } from '../report/reports.ts';
import { findDocsRoot } from '../source/find-docs-root.ts';
import { pathOfFileSpec } from '../source/parse-source-spec.ts';
import type { Result } from '../verdict/result.ts';
import { identifyFile, isSinkState } from './check-report-files.ts';
import type { CheckArguments, SourceArguments } from './common-options.ts';
import { expandPaths } from './expand-paths.ts';
import type { Output } from './open-output.ts';
import { parseReport, type ReportTarget } from './parse-report.ts';
import { readPageScript } from './read-page-script.ts';

const nothing: Result = { version: 1, verdict: 'unknown', traces: 0, spans: 0, edges: [], findings: [] };

/**
 * Writes the reason to every report file when there is no result: otherwise a report of an earlier run would be read as the result of
 * this one. A file that the command uses for something else is left alone. So is a file that cannot be written: the error is
 * already on standard error.
 *
 * @param args The command line. Options may be wrong, so commander may not have parsed all of them.
 */
export async function reportFailure(
  program: Command,
  args: readonly string[],
  reason: string,
  output: Output,
): Promise<void> {
  const failure = { isAudit: args[0] === 'audit', source: 'nothing was read', reason };
  await writeFailure(await findTargets(program, args), failure, output);
}

type FileTarget = ReportTarget & { readonly path: string };

interface Failure {
  /** Reports of `audit` have another shape. */
  readonly isAudit: boolean;
  readonly source: string;
  readonly reason: string;
}

/** Writes the reason to the files. A file that cannot be written is skipped. */
export async function writeFailure(
  targets: readonly FileTarget[],
  { isAudit, source, reason }: Failure,
  output: Output,
): Promise<void> {
  const details = { source, reason, notes: [], collector: null };
  const options = { ...output, docsRoot: findDocsRoot() };
  const input = { result: nothing, details, options, pickSpans: () => [], readPageScript };
  const render = isAudit ? await prepareAudit(source) : (name: ReportName) => reports[name].render;
  for (const { name, path } of targets)
    await writeFile(path, await render(name)(input)).catch(() => undefined);
}

async function prepareAudit(source: string) {
  const [{ auditWindow }, { auditReports }] = await Promise.all([
    import('../audit/audit-window.ts'),
    import('../audit/reports.ts'),
  ]);
  const window = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
  const now = { window, result: nothing, seen: { complete: false, says: '' } };
  const audit = auditWindow({ source, now, before: null, state: null, failUnder: null, failOn: 'error' });
  return (name: ReportName) => (input: ReportInput) => auditReports[name].render({ ...input, audit });
}

async function findTargets(
  program: Command,
  [name = '', ...rest]: readonly string[],
): Promise<readonly FileTarget[]> {
  const command = program.commands.find((known) => known.name() === name);
  // `doctor` writes its own reports.
  if (command === undefined || command.name() === 'doctor') return [];
  const configured: Configured = command.opts();
  const { values, others } = sortArguments(command, rest);
  const targets = [...values.flatMap(readTarget), ...(configured.report ?? [])].filter(hasPath);
  if (targets.length === 0) return [];
  const { configFile, baseline, expectations, wire = [], source } = configured;
  const read = [configFile ?? [], baseline ?? [], expectations ?? [], wire, source ?? [], others].flat();
  const paths = read.map((path) => pathOfFileSpec(path) ?? path);
  const taken = new Set((await expandPaths(paths)).map(identifyFile));
  const byFile = new Map(targets.map((target) => [identifyFile(target.path), target]));
  return [...byFile].flatMap(([file, target]) =>
    taken.has(file) || isSinkState(target.path) ? [] : [target],
  );
}

/** Options that the configuration file may also set. */
type Configured = Pick<CheckArguments, 'report' | 'configFile' | 'baseline' | 'expectations' | 'wire'> &
  Partial<Pick<SourceArguments, 'source'>>;

/** The values of `--report`, and all values that may name another file. Options of the command that `exec` runs are skipped. */
function sortArguments(command: Command, args: readonly string[]) {
  const values: string[] = [];
  const others: string[] = [];
  const isOfOther = command.name() === 'exec';
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    const [flag = '', ...parts] = arg.startsWith('--') ? arg.split('=') : [arg];
    const option = command.options.find((known) => known.long === flag || known.short === flag);
    if (arg === '--' || (!arg.startsWith('-') && isOfOther)) {
      if (!isOfOther) others.push(...args.slice(at + 1));
      break;
    }
    const value = parts.length > 0 ? parts.join('=') : option?.required === true ? args[++at] : undefined;
    if (flag === '--report') values.push(value ?? '');
    else others.push(value ?? arg);
  }
  return { values, others };
}

function readTarget(value: string): readonly ReportTarget[] {
  try {
    return parseReport(value);
  } catch {
    return [];
  }
}

/** Whether the report is written to a file. */
export function hasPath(target: ReportTarget): target is FileTarget {
  return target.path !== null;
}
