/** Before the tests of processes: builds the checker. Bundles start with half of the CPU time of the sources, and users run them. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const workspace = join(import.meta.dirname, '..');

/** Source: Node.js, `--test-global-setup`. The files of tests inherit the variable. */
export function globalSetup(): void {
  const { status } = spawnSync(process.execPath, ['scripts/build.ts'], { cwd: workspace, stdio: 'inherit' });
  if (status !== 0) throw new Error('the checker cannot be built');
  process.env.BUILT_CHECKER = join(workspace, 'dist/cli.js');
}
