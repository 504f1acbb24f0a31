import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireCodeFolder } from '../source/find-code-folder.ts';

/** The version in the `package.json` of this package. */
export function readToolVersion(): string {
  const manifest: { readonly version: string } = JSON.parse(
    readFileSync(join(requireCodeFolder(), '../package.json'), 'utf8'),
  );
  return manifest.version;
}
