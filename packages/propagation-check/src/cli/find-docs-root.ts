import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package has a copy of the repository's pages beside its code. */
export function findDocsRoot(): string {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const root = [join(here, '..'), join(here, '../../../..')].find((folder) =>
    existsSync(join(folder, 'docs/findings')),
  );
  if (root === undefined) return '';
  const near = relative(process.cwd(), root);
  const shown = near.length < root.length ? near : root;
  return shown === '' ? '' : `${shown}/`;
}
