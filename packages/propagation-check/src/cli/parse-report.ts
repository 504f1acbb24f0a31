import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { type Report, type ReportName, reportNames, reports } from '../report/reports.ts';
import { describeFileError, quotePath } from '../source/file-error.ts';
import { UsageError } from './usage-error.ts';

/** A report that was asked for; without a path it is printed. */
export interface ReportTarget {
  readonly name: ReportName;
  readonly path: string | null;
}

/** `json`, or `html=report.html`; may be repeated. Whether the folder is there is found out before any work. */
export function parseReport(text: string, before: readonly ReportTarget[] = []): readonly ReportTarget[] {
  const [written = '', ...rest] = text.split('=');
  const name = reportNames.find((known) => known === written);
  if (name === undefined) throw new InvalidArgumentError(`Expected ${reportNames.join(', ')}, or NAME=FILE.`);
  const path = text.includes('=') ? rest.join('=') : null;
  const { isFile = false, isBeside = false }: Report = reports[name];
  if (path === '' || (path === null && isFile))
    throw new InvalidArgumentError(`Expected the file to write, ${name}=report.${name}.`);
  const same = before.find(
    (other) =>
      other.path === path && (path !== null || other.name === name || !(isBeside || isPrintedBeside(other))),
  );
  if (same !== undefined)
    throw new UsageError(
      path === null
        ? `--report ${same.name} and --report ${name} would both be printed; write one into a file: --report ${name}=FILE`
        : `--report ${same.name} and --report ${name} would both be written to ${quotePath(path)}`,
    );
  if (path !== null) checkFolder(`--report ${name}`, path);
  return [...before, { name, path }];
}

/** Below the report for people, not instead of it. */
export function isPrintedBeside({ name, path }: ReportTarget): boolean {
  const { isBeside = false }: Report = reports[name];
  return path === null && isBeside;
}

/** @throws {UsageError} where a file cannot be written for want of its folder. */
export function checkFolder(option: string, path: string): void {
  try {
    if (statSync(dirname(path)).isDirectory()) return;
  } catch (error) {
    throw new UsageError(`${option}=${path}: ${describeFileError(error)}`);
  }
  throw new UsageError(`${option}=${path}: ${quotePath(dirname(path))} is no folder`);
}
