/** Makes `dist/` of the package in the working directory. By itself: its compiled sources and their types. Puts the licence beside it. */
import { spawnSync } from 'node:child_process';
import { existsSync, linkSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
const compiler = join(dirname(manifest), 'bin/tsc');
const project = 'tsconfig.build.json';

if (import.meta.main) await build((folder) => compile(folder));

/**
 * Makes `dist/` what the sources are now. Several tests build and pack the same package at a time: a folder that is the same already is
 * left where it is, so that none of them reads it while it is replaced.
 * @param fill Puts the files into the folder.
 */
export async function build(fill: (folder: string) => void | Promise<void>): Promise<void> {
  const [made, before] = [`.dist.${process.pid}`, `.dist.${process.pid}.before`];
  try {
    await fill(made);
    while (!hasSameFiles(made, 'dist')) {
      rename('dist', before);
      rename(made, 'dist');
      rmSync(before, { recursive: true, force: true });
    }
  } finally {
    for (const folder of [made, before]) rmSync(folder, { recursive: true, force: true });
  }
  linkLicence();
}

/** A copy could be packed by another build before it is whole. */
function linkLicence(): void {
  try {
    linkSync(join(import.meta.dirname, '../LICENSE'), 'LICENSE');
  } catch (error) {
    if (!isOf(error, 'EEXIST')) throw error;
  }
}

/** Also true where the one has become the other. */
function hasSameFiles(made: string, other: string): boolean {
  if (!existsSync(made)) return true;
  try {
    const paths = listFiles(made);
    const isSame = (path: string) => readFileSync(join(made, path)).equals(readFileSync(join(other, path)));
    return isDeepStrictEqual(paths, listFiles(other)) && paths.every(isSame);
  } catch (error) {
    if (isOf(error, 'ENOENT')) return false;
    throw error;
  }
}

function listFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
    .sort();
}

/** Another build may have taken the one away, or put the other there. */
function rename(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!isOf(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) throw error;
  }
}

function isOf(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** The compiler has said why it fails. */
export function compile(folder: string, ...args: readonly string[]): void {
  const { status } = spawnSync(process.execPath, [compiler, '-p', project, '--outDir', folder, ...args], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`${project} does not compile`);
}
