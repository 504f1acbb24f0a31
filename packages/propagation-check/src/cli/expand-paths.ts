import { listSpanFiles } from '../audit/list-span-files.ts';

/** The paths, and the files of those that are folders or patterns. */
export async function expandPaths(paths: readonly string[]): Promise<readonly string[]> {
  const files = await Promise.all(
    // Who reads them says which one names nothing.
    paths.map((path) => listSpanFiles([path]).catch(() => [])),
  );
  return [...paths, ...files.flat().map(({ path }) => path)];
}
