import { listSpanFiles } from '../audit/list-span-files.ts';
import { isOwnReport } from './check-report-files.ts';

/** The paths, and the files of those that are folders or patterns: of folders not the reports of earlier runs, which are written anew. */
export async function expandPaths(paths: readonly string[]): Promise<readonly string[]> {
  const files = await Promise.all(
    // The command that reads the files reports a path that does not exist.
    paths.map((path) => listSpanFiles([path]).catch(() => [])),
  );
  const read = files.flat().filter(({ path, isFound }) => isFound !== true || !isOwnReport(path));
  return [...paths, ...read.map(({ path }) => path)];
}
