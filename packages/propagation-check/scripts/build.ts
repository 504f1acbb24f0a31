/** Makes `dist/`: the compiled sources and the pages of the findings. Run by npm before it packs. */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const at = (path: string) => join(root, path);

rmSync(at('dist'), { recursive: true, force: true });

const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
const compiler = join(dirname(manifest), 'bin/tsc');
const { status } = spawnSync(process.execPath, [compiler, '-p', at('tsconfig.build.json')], {
  stdio: 'inherit',
});
if (status !== 0) process.exit(status ?? 1);

// The compiler leaves out what is JavaScript already.
cpSync(at('src/decode/generated'), at('dist/decode/generated'), { recursive: true });
cpSync(at('../../docs/findings'), at('dist/docs/findings'), { recursive: true });
chmodSync(at('dist/cli.js'), 0o755);
