import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findCode } from './find-code.ts';

/** The folder that holds `docs/findings`: the package has a copy of the repository's pages beside its code. Null where both are missing. */
export function findDocsFolder(): string | null {
  const code = findCode();
  const folders = [code, join(code, '../../..')];
  return folders.find((folder) => existsSync(join(folder, 'docs/findings'))) ?? null;
}
