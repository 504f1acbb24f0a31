import { findCheck } from '../doctor/find-check.ts';
import type { ProjectHint } from '../rules/project-hint.ts';
import { diagnose } from './diagnose.ts';

/** What `doctor` is sure of in the files of a project. Paths begin with the folder, as it was named. */
export async function readProjectHints(folder: string): Promise<readonly ProjectHint[]> {
  const { findings } = await diagnose(folder, '--project');
  const base = folder.replace(/\/+$/, '');
  return findings
    .filter(({ severity }) => severity !== 'note')
    .map(({ id, path, line, column, service, says }) => ({
      ...{ check: id, leadsTo: findCheck(id).leadsTo, service, line, column, says },
      file: base === '.' ? path : `${base}/${path}`,
    }));
}
