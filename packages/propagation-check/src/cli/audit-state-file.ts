import { type AuditState, readState, renderState } from '../audit/audit-state.ts';
import { describeFileError, quotePath } from '../source/file-error.ts';
import { readWholeFile } from '../source/read-whole-file.ts';
import { replaceFile, tryReplaceFile } from '../source/replace-file.ts';
import { checkFolder } from './parse-report.ts';
import { UsageError } from './usage-error.ts';

/** @returns null where no file is named, and at the first run. @throws {UsageError} where the file holds something else or cannot be written. */
export async function readStateFile(path: string | undefined): Promise<AuditState | null> {
  if (path === undefined) return null;
  const bytes = await readWholeFile(path).catch((error: unknown) => {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!isMissing) throw new UsageError(`--state ${quotePath(path)}: ${describeFileError(error)}`);
    checkFolder('--state ', path);
    return null;
  });
  const state = bytes === null ? null : readState(bytes.toString());
  if (bytes !== null && state === null)
    throw new UsageError(
      `--state ${quotePath(path)}: not a state that an audit wrote; name another file, or remove it to begin anew`,
    );
  await tryReplaceFile(path).catch((error: unknown) => {
    throw new UsageError(describeUnwritable(path, error));
  });
  return state;
}

/** @returns Why the file could not be written, or null. */
export async function writeStateFile(path: string, state: AuditState): Promise<string | null> {
  try {
    await replaceFile(path, renderState(state));
    return null;
  } catch (error) {
    return describeUnwritable(path, error);
  }
}

function describeUnwritable(path: string, error: unknown): string {
  return `--state ${quotePath(path)} cannot be written: ${describeFileError(error)}`;
}
