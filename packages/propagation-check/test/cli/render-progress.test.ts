import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Done, renderProgress } from '../../src/cli/render-progress.ts';

const reading: Done = {
  what: 'captures/spans.jsonl',
  unit: 'bytes',
  done: 1_200_000_000,
  all: 2_800_000_000,
  elapsedMs: 12_000,
};

test('a bar, the share, the rate and the time left, within the width', () => {
  const cases = [
    [77, 'captures/spans.jsonl  [===========              ]   42 %  100 MB/s  16 s left'],
    [57, 'captures/spans.j…  [===     ]   42 %  100 MB/s  16 s left'],
    [40, 'captures/sp…   42 %  100 MB/s  16 s left'],
    [20, 'captures/sp…   42 %…'],
  ] as const;
  for (const [columns, line] of cases) {
    assert.equal(renderProgress(reading, columns), line);
    assert.ok(line.length <= columns, `${line.length} of ${columns}`);
  }
});

test('without size or rate it shows the rest', () => {
  assert.equal(
    renderProgress({ ...reading, what: 'standard input', all: null }, 77),
    'standard input  1.20 GB  100 MB/s',
  );
  assert.match(renderProgress({ ...reading, done: 0 }, 77), /\[ {30}\] {4}0 % {2}0.0 MB\/s$/);
});

test('counts requests, and shows minutes', () => {
  const requests: Done = { what: 'http://a/', unit: 'requests', done: 30, all: 1_000, elapsedMs: 10_000 };
  assert.match(renderProgress(requests, 77), / {4}3 % {2}3\.0 requests\/s {2}5 min 24 s left$/);
});

test('control characters in a name do not reach the terminal', () => {
  assert.ok(!renderProgress({ ...reading, what: '\u001b[2J' }, 77).includes('\u001b'));
});
