import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { type Report, type ReportName, reports } from '../report/reports.ts';
import { describeFileError, quotePath } from '../source/file-error.ts';
import { UsageError } from './usage-error.ts';

/** A report that the user asked for; without a path it is printed. */
export interface ReportTarget<Name extends string = ReportName> {
  readonly name: Name;
  readonly path: string | null;
}

/** The properties of a report that are known without rendering it. */
type ReportKind = Omit<Report, 'render'> & { readonly render: unknown };

/** Parses `json` or `html=report.html`; repeatable. Refuses a file in a folder that does not exist, before any work is done. */
export function parseReport(text: string, before: readonly ReportTarget[] = []): readonly ReportTarget[] {
  return parseReportOf(reports, text, before);
}

/** As `parseReport`, for a command with its own reports. */
export function parseReportOf<Name extends string>(
  kinds: Readonly<Record<Name, ReportKind>>,
  text: string,
  before: readonly ReportTarget<Name>[],
): readonly ReportTarget<Name>[] {
  const [written = '', ...rest] = text.split('=');
  const names = Object.keys(kinds).filter((each): each is Name => each in kinds);
  const name = names.find((known) => known === written);
  if (name === undefined) throw new InvalidArgumentError(`Expected ${names.join(', ')}, or NAME=FILE.`);
  const path = text.includes('=') ? rest.join('=') : null;
  const { isFile = false, isBeside = false } = kinds[name];
  if (path === '' || (path === null && isFile))
    throw new InvalidArgumentError(`Expected the file to write, ${name}=report.${name}.`);
  const same = before.find(
    (other) =>
      other.path === path &&
      (path !== null || other.name === name || !(isBeside || isBesideIn(kinds, other))),
  );
  if (same !== undefined)
    throw new UsageError(
      path === null
        ? `--report ${same.name} and --report ${name} would both be printed; write one into a file: --report ${name}=FILE`
        : `--report ${same.name} and --report ${name} would both be written to ${quotePath(path)}`,
    );
  if (path !== null) checkFolder(`--report ${name}=`, path);
  return [...before, { name, path }];
}

/** Whether the report is printed below the report for people, and does not replace it. */
function isBesideIn<Name extends string>(
  kinds: Readonly<Record<Name, ReportKind>>,
  { name, path }: ReportTarget<Name>,
): boolean {
  return path === null && kinds[name].isBeside === true;
}

/** The reports to print or write: the report for people first, unless another one is printed instead. */
export function withPrinted<Name extends string>(
  kinds: Readonly<Record<Name, ReportKind>>,
  printed: Name,
  targets: readonly ReportTarget<Name>[],
): readonly ReportTarget<Name>[] {
  const hasPrinted = targets.some((target) => target.path === null && !isBesideIn(kinds, target));
  return hasPrinted ? targets : [{ name: printed, path: null }, ...targets];
}

/**
 * @param option The option as it stands before the path: `--report json=`.
 * @throws {UsageError} where the file cannot be written: its folder is missing, the path is a folder, or permissions forbid it.
 */
export function checkFolder(option: string, path: string): void {
  const named = `${option}${quotePath(path)}`;
  if (path === '') throw new UsageError(`${named}: empty; name a file`);
  const folder = dirname(path);
  try {
    const isFolder = (one: string): boolean | undefined =>
      statSync(one, { throwIfNoEntry: false })?.isDirectory();
    const isThere = isFolder(path);
    if (isThere === true || /[/\\]$/.test(path))
      throw new UsageError(`${named}: a folder; name a file in it`);
    const found = isFolder(folder);
    if (found === true) {
      accessSync(isThere === undefined ? folder : path, constants.W_OK);
      return;
    }
    const reason = found === undefined ? 'does not exist; create it first' : 'is no folder';
    throw new UsageError(`${named}: the folder ${quotePath(folder)} ${reason}`);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${named}: ${describeFileError(error)}`);
  }
}
