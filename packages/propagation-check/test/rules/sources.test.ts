import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { findingIds } from '../../src/rules/finding.ts';

const source = join(import.meta.dirname, '../../src');

test('the id of every finding is defined in its file', () => {
  for (const id of findingIds) {
    assert.match(
      readFileSync(join(source, 'rules', `${id}.ts`), 'utf8'),
      new RegExp(`^export const finding = defineFinding\\('${id}', `, 'm'),
    );
  }
});

test('no rule writes the id of a finding as a literal', () => {
  const own = globSync('*.ts', { cwd: join(source, 'rules') }).filter((file) =>
    /^[^*\n]*\bid: [^,;\n]*'[a-z-]+'/m.test(readFileSync(join(source, 'rules', file), 'utf8')),
  );
  assert.deepEqual(own, []);
});

test('no rule compares with a literal number', () => {
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
