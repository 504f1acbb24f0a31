import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { suite, test } from 'node:test';
import {
  replaceThresholds,
  type Threshold,
  type Thresholds,
  thresholds,
  thresholdTable,
} from '../../src/rules/thresholds.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';

const fixtures = join(import.meta.dirname, '../../fixtures');
const source = join(import.meta.dirname, '../../src');

for (const [name, threshold] of Object.entries<Threshold>(thresholdTable)) {
  suite(name, () => {
    for (const direction of ['lower', 'higher'] as const) {
      const fixture = threshold.pinnedBy[direction];
      test(`a quarter ${direction} changes ${fixture}`, () => {
        const moved = replaceThresholds({ [name]: move(threshold, direction) });
        assert.notDeepEqual(judge(fixture, moved), judge(fixture, thresholds));
      });
    }
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

/** A quarter, and where it is a number of things by one at least; a share is no more than the whole. */
function move({ value, unit }: Threshold, direction: 'lower' | 'higher'): number | bigint {
  if (typeof value === 'bigint') return direction === 'lower' ? (value * 3n) / 4n : (value * 5n) / 4n;
  const moved = direction === 'lower' ? value * 0.75 : value * 1.25;
  if (unit === 'count') return direction === 'lower' ? Math.floor(moved) : Math.ceil(moved);
  return unit === 'share' ? Math.min(1, moved) : moved;
}

function judge(fixture: string, numbers: Thresholds) {
  const { spans, expectation, headers } = readDrawing(readFileSync(join(fixtures, `${fixture}.txt`), 'utf8'));
  const { verdict, edges, findings } = checkTraces(spans, { expectation, headers, thresholds: numbers });
  return { verdict, edges, findings };
}
