/** Makes `dist/` of the package in the working directory: its compiled sources and their types. */
import { spawnSync } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
const compiler = join(dirname(manifest), 'bin/tsc');

if (import.meta.main) build();

/**
 * Replaces `dist/` at once when everything is there: several tests build and pack the same package at a time.
 * @param add Puts what the compiler leaves out into the folder.
 */
export function build(add: (folder: string) => void = () => undefined): void {
  const [made, before] = [`.dist.${process.pid}`, `.dist.${process.pid}.before`];
  try {
    compile('tsconfig.build.json', made);
    add(made);
    if (existsSync('dist')) renameSync('dist', before);
    renameSync(made, 'dist');
  } finally {
    for (const folder of [made, before]) rmSync(folder, { recursive: true, force: true });
  }
}

/** The compiler has said why it fails. */
export function compile(project: string, folder: string, ...args: readonly string[]): void {
  const { status } = spawnSync(process.execPath, [compiler, '-p', project, '--outDir', folder, ...args], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`${project} does not compile`);
}
