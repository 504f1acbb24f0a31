import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeTimes } from '../../src/collect/describe-times.ts';
import { storeOf } from '../../src/span/span-writer.ts';
import { executeCli, makeFolder } from '../cli/run-cli.ts';
import { otlpRequest, otlpSpan } from '../decode/fixture.ts';
import { drawTrace } from '../draw-trace.ts';

const time = Date.UTC(2026, 10, 28, 12);

/** A store with spans that start at these nanoseconds since 1970. */
function at(...starts: readonly bigint[]) {
  const [span] = drawTrace('\n  SERVER web GET /a    a1   0..10\n');
  assert.ok(span);
  return storeOf(
    starts.map((startTimeUnixNano) => ({
      ...span,
      startTimeUnixNano,
      endTimeUnixNano: startTimeUnixNano + 10n,
    })),
  );
}

test('times in milliseconds and microseconds are noted, with their date as nanoseconds', () => {
  const milliseconds = BigInt(time);
  assert.deepEqual(describeTimes(at(milliseconds, milliseconds + 1n)), [
    'times of 2 spans look like milliseconds, and were read as nanoseconds (1970-01-01T00:29:55.867Z): OTLP has nanoseconds since ' +
      '1970, so multiply them by 1,000,000',
  ]);
  const [said = ''] = describeTimes(at(milliseconds * 1_000n));
  assert.match(said, /^times of 1 span look like microseconds, .*\(1970-01-21T.*multiply them by 1,000$/);
});

test('the notes do not depend on the order of the spans', () => {
  const starts = [BigInt(time), BigInt(time) + 9_000_000n, BigInt(time) * 1_000n];
  assert.equal(describeTimes(at(...starts)).length, 2);
  assert.deepEqual(describeTimes(at(...starts.toReversed())), describeTimes(at(...starts)));
});

test('there is no note on nanoseconds, on artificial times, or without spans', () => {
  for (const start of [0n, 1_000_000_000n, BigInt(time) * 1_000_000n, 1n << 63n])
    assert.deepEqual(describeTimes(at(start)), []);
  assert.deepEqual(describeTimes(at()), []);
});

test('the note is part of the result, and does not change the verdict', async (t) => {
  const write = (factor: bigint) => {
    const start = BigInt(time) * factor;
    const times = { startTimeUnixNano: String(start), endTimeUnixNano: String(start + 40n * factor) };
    return JSON.stringify(otlpRequest(otlpSpan(times)));
  };
  const folder = await makeFolder(t, { 'ms.json': write(1n), 'ns.json': write(1_000_000n) });
  const [ms, ns] = await Promise.all(
    ['ms', 'ns'].map(async (name) => {
      const { code, stdout } = await executeCli('file', `${folder}/${name}.json`, '--json');
      return { code, ...JSON.parse(stdout) };
    }),
  );
  assert.match(ms.notes.join(), /^times of 1 span look like milliseconds/);
  assert.deepEqual([ns.notes, ns.code, ns.verdict], [[], ms.code, ms.verdict]);
});
