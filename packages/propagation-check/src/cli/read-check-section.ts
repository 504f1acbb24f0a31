import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findDocsFolder } from '../source/find-docs-folder.ts';

/** The section of a check in `docs/doctor.md`; null where no check has this name. */
export async function readCheckSection(name: string): Promise<string | null> {
  const folder = findDocsFolder();
  if (folder === null) return null;
  const page = await readFile(join(folder, 'docs/doctor.md'), 'utf8').catch(() => '');
  const [, ...sections] = page.split(/^## /m);
  const section = sections.find((each) => each.startsWith(`${name}\n`));
  return section === undefined ? null : `# ${section}`;
}
