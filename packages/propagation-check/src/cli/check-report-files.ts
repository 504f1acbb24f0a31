import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { quotePath } from '../source/file-error.ts';
import type { CheckArguments, SourceArguments } from './common-options.ts';
import { UsageError } from './usage-error.ts';

type Arguments = CheckArguments & Partial<Pick<SourceArguments, 'save'>>;

/**
 * Refuses reports that would overwrite each other, or a file that the check reads, before anything is read.
 *
 * @param paths Files of spans.
 * @throws {UsageError} that names the file.
 */
export function checkReportFiles(args: Arguments, paths: readonly string[]): void {
  const { report = [], json = false, wire = [], expectations, save, baseline, configFile } = args;
  const other = report.find(({ name, path }) => path === null && name !== 'json');
  if (json && other !== undefined)
    throw new UsageError(
      `--json and --report ${other.name} would both be printed; write one into a file: --report json=FILE`,
    );
  const others = [...paths, ...wire, expectations ?? [], save ?? [], baseline ?? [], configFile ?? []].flat();
  const taken = new Set(others.filter((path) => path !== '-').map(identifyFile));
  for (const { name, path } of report) {
    if (path !== null && taken.has(identifyFile(path)))
      throw new UsageError(
        `--report ${name}: ${quotePath(path)} has another use in this command; name another file`,
      );
  }
}

/** The file, under whatever name. */
export function identifyFile(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? resolve(path) : `${found.dev} ${found.ino}`;
}
