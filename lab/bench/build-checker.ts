import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../../packages/propagation-check');

/** Builds the checker as it is published. @returns the path of its command line. */
export function buildChecker(): string {
  const { status } = spawnSync(process.execPath, ['scripts/build.ts'], { cwd: folder, stdio: 'inherit' });
  if (status !== 0) throw new Error('the package cannot be built');
  return join(folder, 'dist/cli.js');
}
