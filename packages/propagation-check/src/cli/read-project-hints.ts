import { examine } from '../doctor/examine.ts';
import { type FileKind, kindOf } from '../doctor/files.ts';
import { findCheck } from '../doctor/find-check.ts';
import { findOwners } from '../doctor/find-owners.ts';
import type { ProjectHint } from '../rules/project-hint.ts';
import { readFolder } from './diagnose.ts';

/**
 * The errors and warnings of `doctor` on a project, and its notes on services that may or may not call each other: only calls in spans
 * show that. Paths begin with the folder, as the user named it.
 */
export async function readProjectHints(folder: string): Promise<readonly ProjectHint[]> {
  const { files, gaps } = await readFolder(folder, '--project');
  const { findings } = examine(files, gaps);
  const owners = findOwners(files.filter(({ path }) => !isCode(path)));
  const base = folder.replace(/\/+$/, '');
  return findings
    .filter(({ severity, apartFrom }) => severity !== 'note' || apartFrom !== undefined)
    .map(({ id, path, line, column, service, apartFrom, says }) => ({
      ...{ check: id, leadsTo: findCheck(id).leadsTo, service, line, column, says },
      ...(apartFrom === undefined ? {} : { apartFrom }),
      ...(service === null ? { owners: owners.of(path), named: owners.names } : {}),
      file: base === '.' ? path : `${base}/${path}`,
    }));
}

const code: readonly (FileKind | null)[] = ['source', 'python', 'go', 'script', 'lock', 'installed'];

/** Whether the file says nothing of the name of a service. Code is many files, and takes long to parse. */
function isCode(path: string): boolean {
  return code.includes(kindOf(path));
}
