import { UsageError } from './usage-error.ts';

/** @param command Its verb: what to do with the source. @throws {UsageError} where neither files nor a source are named, or both. */
export function refuseOtherThanOne(
  command: string,
  paths: readonly string[],
  source: string | undefined,
): void {
  const hasFiles = paths.length > 0;
  const hasSource = source !== undefined;
  if (hasFiles && hasSource)
    throw new UsageError(`both --source and files are given; name what to ${command} by one of them`);
  if (!hasFiles && !hasSource) throw new UsageError(`name what to ${command}: either --source, or files`);
}
