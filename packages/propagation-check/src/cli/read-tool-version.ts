import { readFileSync } from 'node:fs';

/** The version in this package's own manifest. */
export function readToolVersion(): string {
  const manifest: { readonly version: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  return manifest.version;
}
