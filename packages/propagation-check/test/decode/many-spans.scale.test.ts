import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBytes } from '../../src/decode/detect-format.ts';

test('there may be more spans than a function call may have arguments', () => {
  const count = 130_000;
  const one = JSON.stringify({ traceId: 'a', id: '1' });
  const list = `[${`${one},`.repeat(count - 1)}${one}]`;
  for (const text of [`${one}\n`.repeat(count), `listening\n${list}\n`]) {
    assert.equal(decodeBytes(Buffer.from(text)).spans.length, count);
  }
});
