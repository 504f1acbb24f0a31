import { writeFile } from 'node:fs/promises';
import { InvalidArgumentError } from 'commander';
import { type DoctorReportName, doctorReports } from '../doctor/reports.ts';
import { describeFileError, quotePath } from '../source/file-error.ts';
import { findDocsRoot } from '../source/find-docs-root.ts';
import { diagnose } from './diagnose.ts';
import { parseReportOf, type ReportTarget, withPrinted } from './parse-report.ts';
import { readToolVersion } from './read-tool-version.ts';
import type { Session } from './session.ts';
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
  const diagnosis = await diagnose(folder, 'doctor');
  const options = { ...output, docsRoot: findDocsRoot(), version: readToolVersion() };
  for (const { name, path } of withPrinted(doctorReports, 'terminal', targets)) {
    const text = doctorReports[name].render(diagnosis, options);
    if (path === null) await output.print(text);
    else
      await writeFile(path, text).catch((error: unknown) => {
        throw new UsageError(
          `--report ${name}: ${quotePath(path)} cannot be written: ${describeFileError(error)}`,
        );
      });
  }
  return { clean: 0, broken: 1, unknown: 2 }[diagnosis.verdict];
}

function parseTargets(texts: readonly string[]): readonly ReportTarget<DoctorReportName>[] {
  let targets: readonly ReportTarget<DoctorReportName>[] = [];
  for (const text of texts) {
    try {
      targets = parseReportOf(doctorReports, text, targets);
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      throw new UsageError(`--report ${quotePath(text)}: ${error.message}`);
    }
  }
  return targets;
}
