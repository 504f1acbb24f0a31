import { writeFile } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { type Diagnosis, examine, explainFailure } from '../doctor/examine.ts';
import type { DoctorReportName } from '../doctor/report-names.ts';
import { type DoctorReportOptions, doctorReports } from '../doctor/reports.ts';
import { describeFileError, quotePath } from '../source/file-error.ts';
import { findDocsRoot } from '../source/find-docs-root.ts';
import { identifyFile } from './check-report-files.ts';
import { readFolder } from './diagnose.ts';
import { parseReportOf, type ReportTarget, withPrinted } from './parse-report.ts';
import { readToolVersion } from './read-tool-version.ts';
import type { Session } from './session.ts';
import { continueLine } from './to-error-line.ts';
import { UsageError } from './usage-error.ts';

export interface DoctorArguments {
  readonly report?: readonly string[];
  readonly json?: boolean;
}

/** Reads a project, examines it and prints. @returns The exit code: 0 clean, 1 broken, 2 unknown. */
export async function examineFolder(
  folder: string,
  { report = [], json = false }: DoctorArguments,
  { output }: Session,
): Promise<number> {
  const targets = parseTargets(json ? ['json', ...report] : report);
  const options = { ...output, docsRoot: findDocsRoot(), version: readToolVersion() };
  const { files, gaps } = await readFolder(folder, 'doctor').catch(async (error: unknown) => {
    // Otherwise a report that an earlier run left would be read as the result of this one.
    if (error instanceof UsageError) await writeReports(explainFailure(error.message), targets, options);
    throw error;
  });
  const read = new Set(files.map(({ path }) => identifyFile(join(folder, path))));
  const input = targets.find(({ path }) => path !== null && read.has(identifyFile(path)));
  if (input !== undefined)
    throw new UsageError(
      `--report ${input.name}: ${quotePath(input.path ?? '')} is a file of the project; name another file`,
    );
  const base = fromWorkingDirectory(folder);
  const examined = examine(files, gaps, base);
  const findings = examined.findings.map((finding) => ({ ...finding, path: base + finding.path }));
  const diagnosis = { ...examined, findings };
  for (const { name, path } of withPrinted(doctorReports, 'terminal', targets))
    if (path === null) await output.print(doctorReports[name].render(diagnosis, options));
  await writeReports(diagnosis, targets, options);
  return { clean: 0, broken: 1, unknown: 2 }[diagnosis.verdict];
}

/** Makes paths relative to the working directory, as annotations of builds and terminals expect. Paths outside it stay as they are. */
function fromWorkingDirectory(folder: string): string {
  const base = relative(process.cwd(), folder).split(sep).join('/');
  return base === '' || base.startsWith('..') || isAbsolute(base) ? '' : `${base}/`;
}

async function writeReports(
  diagnosis: Diagnosis,
  targets: readonly ReportTarget<DoctorReportName>[],
  options: DoctorReportOptions,
): Promise<void> {
  for (const { name, path } of targets) {
    if (path === null) continue;
    await writeFile(path, doctorReports[name].render(diagnosis, options)).catch((error: unknown) => {
      throw new UsageError(
        `--report ${name}: ${quotePath(path)} cannot be written: ${describeFileError(error)}`,
      );
    });
  }
}

function parseTargets(texts: readonly string[]): readonly ReportTarget<DoctorReportName>[] {
  let targets: readonly ReportTarget<DoctorReportName>[] = [];
  for (const text of texts) {
    try {
      targets = parseReportOf(doctorReports, text, targets);
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      throw new UsageError(`--report ${quotePath(text)}: ${continueLine(error.message)}`);
    }
  }
  return targets;
}
