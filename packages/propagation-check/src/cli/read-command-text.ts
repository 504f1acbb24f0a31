import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { isObject } from '../decode/otlp-json-value.ts';

const runners: ReadonlySet<string> = new Set(['npm', 'pnpm', 'yarn', 'bun']);

/** The words of a command; of one that runs a script of `package.json` in this folder, that script too. */
export async function readCommandText([file = '', ...args]: readonly string[]): Promise<string> {
  const words = [file, ...args].join(' ');
  if (!runners.has(basename(file))) return words;
  const scripts = await readScripts();
  const named = args.flatMap((arg) => (Object.hasOwn(scripts, arg) ? String(scripts[arg]) : []));
  return [words, ...named].join('\n');
}

async function readScripts(): Promise<Readonly<Record<string, unknown>>> {
  try {
    const manifest: unknown = JSON.parse(await readFile('package.json', 'utf8'));
    return isObject(manifest) && isObject(manifest.scripts) ? manifest.scripts : {};
  } catch {
    // The runner says it better.
    return {};
  }
}
