import { UsageError } from './usage-error.ts';

/** @param command The verb of the message. @throws {UsageError} where the command line names both files and a source, or neither. */
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
