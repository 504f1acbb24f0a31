import { listSpanFiles } from '../audit/list-span-files.ts';
import { isOwnReport } from './check-report-files.ts';

/** Expands folders and patterns to their files. Reports of earlier runs are left out of folders. */
export async function expandPaths(paths: readonly string[]): Promise<readonly string[]> {
  const files = await Promise.all(
    // A path that does not exist stays: the command that reads it reports the error.
    paths.map((path) => listSpanFiles([path]).catch(() => [])),
  );
  const read = files.flat().filter(({ path, isFound }) => isFound !== true || !isOwnReport(path));
  return [...paths, ...read.map(({ path }) => path)];
}
