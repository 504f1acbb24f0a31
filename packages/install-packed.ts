/** A package as a user gets it: packed, and installed in an empty folder. For the tests of the packages. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const modules = join(import.meta.dirname, '../node_modules');

/** @returns the folder, in which the package and the others are installed. */
export async function installPacked(workspace: string, others: readonly string[] = []): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `${basename(workspace)}-`));
  await npm(workspace, 'pack', '--pack-destination', folder);
  const [tarball] = await readdir(folder);
  await writeFile(join(folder, 'package.json'), '{"private":true,"type":"module"}');
  await npm(folder, 'install', '--prefer-offline', '--no-audit', '--no-fund', `./${tarball}`, ...others);
  return folder;
}

export async function npm(cwd: string, ...args: readonly string[]): Promise<{ readonly stdout: string }> {
  // npm tells what it starts which project it is in, and this is another one.
  const { npm_config_local_prefix: _, npm_config_workspace: __, ...env } = process.env;
  return promisify(execFile)('npm', args, { cwd, env, maxBuffer: 64 * 1024 * 1024 });
}

/** @returns the exit code of the TypeScript compiler, and what it says. */
export function checkTypes(folder: string, file: string, ...options: readonly string[]) {
  const strict = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'esnext', ...options];
  const types = ['--types', 'node', '--typeRoots', join(modules, '@types')];
  const args = [join(modules, 'typescript/bin/tsc'), ...strict, ...types, file];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  return { status, stdout };
}
