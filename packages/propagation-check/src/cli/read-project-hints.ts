import { findCheck } from '../doctor/find-check.ts';
import type { ProjectHint } from '../rules/project-hint.ts';
import { diagnose } from './diagnose.ts';

/**
 * The errors and warnings of `doctor` on a project, and its notes on services that may or may not call each other: only calls in spans
 * show that. Paths begin with the folder, as the user named it.
 */
export async function readProjectHints(folder: string): Promise<readonly ProjectHint[]> {
  const { findings } = await diagnose(folder, '--project');
  const base = folder.replace(/\/+$/, '');
  return findings
    .filter(({ severity, apartFrom }) => severity !== 'note' || apartFrom !== undefined)
    .map(({ id, path, line, column, service, apartFrom, says }) => ({
      ...{ check: id, leadsTo: findCheck(id).leadsTo, service, line, column, says },
      ...(apartFrom === undefined ? {} : { apartFrom }),
      file: base === '.' ? path : `${base}/${path}`,
    }));
}
