import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBytes } from '../../src/decode/detect-format.ts';
import { countDroppedLinks } from '../../src/span/dropped-counts.ts';
import { otlpRequest, otlpSpan } from './fixture.ts';

test('there may be more spans than a function call may have arguments', () => {
  const count = 130_000;
  const one = JSON.stringify({ traceId: 'a', id: '1' });
  const list = `[${`${one},`.repeat(count - 1)}${one}]`;
  for (const text of [`${one}\n`.repeat(count), `listening\n${list}\n`]) {
    assert.equal(decodeBytes(Buffer.from(text)).spans.length, count);
  }
});

/** With an error for each, they took three times as long. */
test('links whose ids are not valid cost about as much as others', () => {
  const valid = { traceId: '0af7651916cd43dd8448eb211c80319d', spanId: 'b7ad6b7169203332' };
  const count = 5_000;
  const measure = (link: object, dropped: number): number => {
    const bytes = Buffer.from(
      JSON.stringify(otlpRequest(...Array(count).fill(otlpSpan({ links: Array(20).fill(link) })))),
    );
    const times = Array.from({ length: 3 }, () => {
      const before = process.cpuUsage();
      const { spans } = decodeBytes(bytes);
      assert.equal(countDroppedLinks(spans[count - 1] ?? assert.fail()), dropped);
      return process.cpuUsage(before).user;
    });
    return Math.min(...times);
  };
  const [ofValid, ofInvalid] = [measure(valid, 0), measure({ ...valid, traceId: 'c1' }, 20)];
  assert.ok(ofInvalid < 1.7 * ofValid, `${ofInvalid} µs, not ${ofValid} µs`);
});
