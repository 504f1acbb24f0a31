import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds `docs/findings`: the package has a copy of the repository's pages beside its code. Null where both are missing. */
export function findDocsFolder(): string | null {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const folders = [join(here, '..'), join(here, '../../../..')];
  return folders.find((folder) => existsSync(join(folder, 'docs/findings'))) ?? null;
}
