/** Makes `dist/` of the package in the working directory: its compiled sources and their types. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
const compiler = join(dirname(manifest), 'bin/tsc');

/** Ends the process where the compiler fails, which has said why. */
export function compile(project: string, ...args: readonly string[]): void {
  const { status } = spawnSync(process.execPath, [compiler, '-p', project, ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

rmSync('dist', { recursive: true, force: true });
compile('tsconfig.build.json');
