/** Mutation tests of the rules that differ from another commit: `npm run mutation:changed -w propagation-check -- origin/main`. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('..', import.meta.url));
const base = process.argv[2] ?? 'origin/main';
const changed = execFileSync(
  'git',
  ['diff', '--name-only', '--diff-filter=d', '--relative', `${base}...`, '--', 'src/rules', 'src/pairing'],
  { cwd: folder, encoding: 'utf8' },
)
  .split('\n')
  .filter((file) => file !== '' && !/(thresholds|bounds)[.]ts$/.test(file));

if (changed.length === 0) {
  console.log(`no rule differs from ${base}`);
} else {
  const stryker = createRequire(import.meta.url).resolve('@stryker-mutator/core/bin/stryker.js');
  const { status } = spawnSync(process.execPath, [stryker, 'run', '--mutate', changed.join(',')], {
    cwd: folder,
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
}
