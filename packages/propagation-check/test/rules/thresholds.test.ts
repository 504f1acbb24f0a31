import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { listMoves, movesAnything } from './move-threshold.ts';

const source = join(import.meta.dirname, '../../src');

for (const move of listMoves()) {
  test(`${move.name}, a quarter ${move.direction}, changes ${move.fixture}`, () => {
    assert.ok(movesAnything(move));
  });
}

test('no rule compares with a number of its own', () => {
  const own = globSync('{rules,pairing}/**/*.ts', { cwd: source })
    .filter((file) => !['thresholds.ts', 'bounds.ts'].includes(basename(file)))
    .flatMap((file) => {
      const code = readFileSync(join(source, file), 'utf8').replaceAll(
        /\/\*[\s\S]*?\*\/|\/\/.*|'[^'\n]*'/g,
        '',
      );
      const compared = [
        ...code.matchAll(/(?<!=)(?:[<>]=?|[!=]==)\s*-?(\d[\d._]*n?)\b/g),
        ...code.matchAll(/[*]\s*(\d[\d._]*n?)\s*(?:[<>]=?|[!=]==)/g),
        ...code.matchAll(/(?<!=)(?:[<>]=?|[!=]==)[^;=\n]*[*]\s*(\d[\d._]*n?)\b/g),
      ];
      return compared.map(([text, number]) => ({ file, text, number }));
    });
  const structural: ReadonlySet<string | undefined> = new Set(['0', '0n', '1']);
  assert.deepEqual(
    own.filter(({ number }) => !structural.has(number)),
    [],
  );
});
