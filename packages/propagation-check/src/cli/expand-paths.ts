import { listSpanFiles } from '../audit/list-span-files.ts';

/** The paths, and the files of those that are folders or patterns. */
export async function expandPaths(paths: readonly string[]): Promise<readonly string[]> {
  const files = await Promise.all(
    // The command that reads the files reports a path that does not exist.
    paths.map((path) => listSpanFiles([path]).catch(() => [])),
  );
  return [...paths, ...files.flat().map(({ path }) => path)];
}
