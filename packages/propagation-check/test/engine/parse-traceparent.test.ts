import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  parseTraceparent,
  splitTraceparents,
  type TraceparentFault,
} from '../../src/headers/parse-traceparent.ts';
import { spanId, traceId, traceparent } from '../tap/support.ts';

/** Fixed, so that every run tries the same inputs. When a failure prints another seed and path, add them here. */
const seed = 20261124;

test('reads the fields of version 00', () => {
  assert.deepEqual(parseTraceparent(traceparent), {
    state: 'valid',
    version: '00',
    traceId,
    spanId,
    flags: 1,
    sampled: true,
  });
});

test('the sampled flag is the last bit; other bits are ignored', () => {
  const flagsOf = (flags: string) => {
    const read = parseTraceparent(`00-${traceId}-${spanId}-${flags}`);
    return read.state === 'valid' ? [read.flags, read.sampled] : read.reason;
  };
  assert.deepEqual(flagsOf('00'), [0, false]);
  assert.deepEqual(flagsOf('02'), [2, false]);
  assert.deepEqual(flagsOf('03'), [3, true]);
  assert.deepEqual(flagsOf('ff'), [255, true]);
});

test('a later version is read with or without further fields', () => {
  for (const extra of ['', '-', '-what-the-future-will-be-like', '-a,b']) {
    const read = parseTraceparent(`cc-${traceId}-${spanId}-01${extra}`);
    assert.equal(read.state, 'valid', extra);
  }
});

const invalid: readonly (readonly [string, TraceparentFault])[] = [
  ['', 'empty'],
  ['0', 'version-invalid'],
  ['0x-', 'version-invalid'],
  [`.0-${traceId}-${spanId}-01`, 'version-invalid'],
  [`000-${traceId}-${spanId}-01`, 'version-invalid'],
  [`${traceId}:${spanId}:0:1`, 'version-invalid'],
  [`ff-${traceId}-${spanId}-01`, 'version-ff'],
  [`00-${traceId.toUpperCase()}-${spanId}-01`, 'upper-case'],
  [`00-${traceId}-${spanId.toUpperCase()}-01`, 'upper-case'],
  [`00-${traceId}-${spanId}-0A`, 'upper-case'],
  [`FF-${traceId}-${spanId}-01`, 'upper-case'],
  [`cc-${traceId}-${spanId.toUpperCase()}-01-extra`, 'upper-case'],
  ['00', 'too-short'],
  [`00-${traceId}-${spanId}-`, 'too-short'],
  [`00-${traceId}-${spanId}-1`, 'too-short'],
  [`00-${traceId.slice(16)}-${spanId}-01`, 'too-short'],
  [`cc-${traceId}-${spanId}`, 'too-short'],
  [`00-${traceId}-${spanId}-01-`, 'too-long'],
  [`00-${traceId}-${spanId}-01-extra`, 'too-long'],
  [`00-${traceId}-${spanId}-011`, 'too-long'],
  [`cc-${traceId}-${spanId}-01.extra`, 'extra-fields-invalid'],
  [`cc-${traceId}-${spanId}-011`, 'extra-fields-invalid'],
  [`00-${traceId.slice(1)}z-${spanId}-01`, 'trace-id-invalid'],
  [`00-${traceId.slice(1)}-0${spanId}-01`, 'trace-id-invalid'],
  [`00_${traceId}-${spanId}-01`, 'version-invalid'],
  [`00-${traceId}_${spanId}-01`, 'trace-id-invalid'],
  [`00-${traceId}-${spanId.slice(1)}z-01`, 'parent-id-invalid'],
  [`00-${traceId}-${spanId}_01`, 'parent-id-invalid'],
  [`00-${traceId}-${spanId}-.0`, 'flags-invalid'],
  [`00-${'0'.repeat(32)}-${spanId}-01`, 'trace-id-zero'],
  [`00-${traceId}-${'0'.repeat(16)}-01`, 'parent-id-zero'],
  [` ${traceparent}`, 'version-invalid'],
  [`${traceparent} `, 'too-long'],
  [`${traceparent}\n`, 'too-long'],
];

for (const [value, reason] of invalid) {
  test(`${JSON.stringify(value)}: ${reason}`, () => {
    assert.deepEqual(parseTraceparent(value), { state: 'malformed', reason });
  });
}

test('a value that is parsed as valid stays the same when written again', () => {
  const hex = (length: number) =>
    fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
  const wellFormed = fc.tuple(hex(2), hex(32), hex(16), hex(2)).map((fields) => fields.join('-'));
  fc.assert(
    fc.property(
      fc.oneof(wellFormed, fc.string({ maxLength: 80 }), fc.string({ unit: 'binary' })),
      (value) => {
        const read = parseTraceparent(value);
        if (read.state === 'malformed') return true;
        const flags = read.flags.toString(16).padStart(2, '0');
        return value.startsWith(`${read.version}-${read.traceId}-${read.spanId}-${flags}`);
      },
    ),
    { seed },
  );
});

test('values that a server joined with a comma are split, and a single value is not', () => {
  assert.deepEqual(splitTraceparents([`${traceparent}, ${traceparent}`]), [traceparent, traceparent]);
  assert.deepEqual(splitTraceparents([traceparent, traceparent]), [traceparent, traceparent]);
  assert.deepEqual(splitTraceparents([`cc-${traceId}-${spanId}-01-a,b`]), [`cc-${traceId}-${spanId}-01-a,b`]);
  assert.deepEqual(splitTraceparents([` ${traceparent}\t`]), [traceparent]);
  assert.deepEqual(splitTraceparents([]), []);
});
