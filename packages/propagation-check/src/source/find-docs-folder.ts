import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findCodeFolder } from './find-code-folder.ts';

/** The folder that holds `docs/findings`: the package has a copy of the repository's pages beside its code. Null if neither exists. */
export function findDocsFolder(): string | null {
  const code = findCodeFolder();
  if (code === null) return null;
  const folders = [code, join(code, '../../..')];
  return folders.find((folder) => existsSync(join(folder, 'docs/findings'))) ?? null;
}
