/**
 * Mutation tests of the rules that differ from another commit: `npm run mutation:changed -w propagation-check -- origin/main`.
 * With `--lines 600` it mutates only the smallest files, up to 600 lines in total, which takes some minutes, and lists the other files.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const folder = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals } = parseArgs({ allowPositionals: true, options: { lines: { type: 'string' } } });
const base = positionals[0] ?? 'origin/main';

const changed = listChanged();
const chosen: string[] = [];
let left = Number(values.lines ?? Number.POSITIVE_INFINITY);
for (const { file, lines } of changed) {
  left -= lines;
  if (left >= 0) chosen.push(file);
}
const others = changed.slice(chosen.length).map(({ file }) => file);
if (others.length > 0) console.log(`left out: ${others.join(', ')}`);

if (chosen.length === 0) {
  console.log(`no rule to mutate: ${changed.length} differ from ${base}`);
} else {
  const manifest = createRequire(import.meta.url).resolve('@stryker-mutator/core/package.json');
  const { status } = spawnSync(
    process.execPath,
    [join(dirname(manifest), 'bin/stryker.js'), 'run', '--mutate', chosen.join(',')],
    {
      cwd: folder,
      stdio: 'inherit',
    },
  );
  process.exitCode = status ?? 1;
}

/** Lists the changed files, the smallest first. */
function listChanged(): readonly { readonly file: string; readonly lines: number }[] {
  return execFileSync(
    'git',
    ['diff', '--name-only', '--diff-filter=d', '--relative', `${base}...`, '--', 'src/rules', 'src/pairing'],
    { cwd: folder, encoding: 'utf8' },
  )
    .split('\n')
    .filter((file) => file !== '' && !/(thresholds|bounds)[.]ts$/.test(file))
    .map((file) => ({ file, lines: readFileSync(join(folder, file), 'utf8').split('\n').length }))
    .sort((one, other) => one.lines - other.lines);
}
