import { access, constants, stat } from 'node:fs/promises';
import { type Diagnosis, examine } from '../doctor/examine.ts';
import { type ReadProject, readProject } from '../doctor/read-project.ts';
import { describeFileError, quotePath } from '../source/file-error.ts';
import { UsageError } from './usage-error.ts';

/** @param option The option that names the folder, for the error message. */
export async function diagnose(folder: string, option: string): Promise<Diagnosis> {
  const { files, gaps } = await readFolder(folder, option);
  return examine(files, gaps);
}

/** @throws {UsageError} when the folder is missing. */
export async function readFolder(folder: string, option: string): Promise<ReadProject> {
  const found = await stat(folder).catch((error: unknown) => {
    throw new UsageError(`${option} ${quotePath(folder)}: ${describeFolderError(error)}`);
  });
  if (!found.isDirectory())
    throw new UsageError(`${option} ${quotePath(folder)}: a file; name the folder of a project`);
  await access(folder, constants.R_OK | constants.X_OK).catch((error: unknown) => {
    throw new UsageError(`${option} ${quotePath(folder)}: ${describeFolderError(error)}`);
  });
  return readProject(folder);
}

function describeFolderError(error: unknown): string {
  return describeFileError(error).replace('no such file', 'no such folder');
}
