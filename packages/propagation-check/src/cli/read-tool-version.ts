import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCode } from '../source/find-code.ts';

/** The version in this package's own manifest. */
export function readToolVersion(): string {
  const manifest: { readonly version: string } = JSON.parse(
    readFileSync(join(findCode(), '../package.json'), 'utf8'),
  );
  return manifest.version;
}
