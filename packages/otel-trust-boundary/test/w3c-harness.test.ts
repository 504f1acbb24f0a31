/**
 * The cases of the W3C's own test harness (w3c/trace-context, test/test.py, head of 2026-06-29, both levels, strict), written anew: each
 * row is sent to a real, instrumented service, and judged by the headers of the call that the service makes meanwhile.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { type RawHeader, startService } from './support/start-service.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const ids = `${traceId}-${spanId}`;
const valid = `00-${ids}-00`;

const service = await startService({ TRUST: '127.0.0.0/8' });
after(() => service[Symbol.asyncDispose]());

async function call(headers: readonly RawHeader[], calls?: number) {
  const { sent } = await service.send(headers, calls);
  return sent.map(({ traceparent, tracestate }) => {
    const [, trace, parent, flags] =
      /^00-([0-9a-f]{32})-([0-9a-f]{16})-(0[0-3])$/.exec(String(traceparent)) ?? [];
    assert.ok(trace !== undefined && !/^0+$/.test(trace) && parent !== undefined && !/^0+$/.test(parent));
    assert.notEqual(parent, spanId);
    return { continues: trace === traceId, trace, parent, flags, tracestate };
  });
}

const traceparents: readonly (readonly [rule: string, continues: boolean, ...values: readonly string[]])[] = [
  ['none', false],
  ['one', true, valid],
  ['two that differ', false, `00-${ids}-01`, `00-${traceId.replace('0', '1')}-${spanId}-01`],
  ['two alike', false, valid, valid],
  ['version 00 with a dot behind it', false, `${valid}.`],
  ['version 00 with more behind a dash', false, `${valid}-more`],
  ['a later version', true, `cc-${ids}-01`],
  ['a later version with more behind a dash', true, `cc-${ids}-01-more`],
  ['a later version with more, but no dash', false, `cc-${ids}-01.more`],
  ['version ff', false, `ff-${ids}-01`],
  ['a dot in the version', false, `.0-${ids}-01`],
  ['a dot in the version, second', false, `0.-${ids}-01`],
  ['a version of three digits', false, `000-${ids}-01`],
  ['a version of four digits', false, `0000-${ids}-01`],
  ['a version of one digit', false, `0-${ids}-01`],
  ['a trace id of zeros', false, `00-${'0'.repeat(32)}-${spanId}-01`],
  ['a dot in the trace id, first', false, `00-.${traceId.slice(1)}-${spanId}-01`],
  ['a dot in the trace id, last', false, `00-${traceId.slice(1)}.-${spanId}-01`],
  ['a trace id in upper case', false, `00-${traceId.toUpperCase()}-${spanId}-01`],
  ['a trace id of 33 digits', false, `00-${traceId}0-${spanId}-01`],
  ['a trace id of 31 digits', false, `00-${traceId.slice(1)}-${spanId}-01`],
  ['a parent id of zeros', false, `00-${traceId}-${'0'.repeat(16)}-01`],
  ['a dot in the parent id, first', false, `00-${traceId}-.${spanId.slice(1)}-01`],
  ['a dot in the parent id, last', false, `00-${traceId}-${spanId.slice(1)}.-01`],
  ['a parent id of 17 digits', false, `00-${traceId}-${spanId}0-01`],
  ['a parent id of 15 digits', false, `00-${traceId}-${spanId.slice(1)}-01`],
  ['a dot in the flags, first', false, `00-${ids}-.0`],
  ['a dot in the flags, last', false, `00-${ids}-0.`],
  ['flags of three digits', false, `00-${ids}-001`],
  ['flags of one digit', false, `00-${ids}-1`],
  ['a space before it', true, ` ${valid}`],
  ['a tab before it', true, `\t${valid}`],
  ['a space behind it', true, `${valid} `],
  ['a tab behind it', true, `${valid}\t`],
  ['spaces and tabs around it', true, `\t ${valid} \t`],
];

describe('traceparent', () => {
  for (const [rule, continues, ...values] of traceparents) {
    test(`${rule}: the trace ${continues ? 'goes on' : 'starts anew'}`, async () => {
      const [sent] = await call(values.map((value) => ['traceparent', value]));
      assert.equal(sent?.continues, continues);
    });
  }

  for (const [name, continues] of [
    ['trace-parent', false],
    ['trace.parent', false],
    ['TraceParent', true],
    ['TrAcEpArEnT', true],
    ['TRACEPARENT', true],
  ] as const) {
    test(`as ${name}: the trace ${continues ? 'goes on' : 'starts anew'}`, async () => {
      assert.equal((await call([[name, valid]]))[0]?.continues, continues);
    });
  }
});

const list = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => `m${first + index}=${first + index}`).join(',');
const keyCharacters = 'abcdefghijklmnopqrstuvwxyz0123456789_-*/';
const valueCharacters = String.fromCharCode(
  ...Array.from({ length: 0x7f - 0x20 }, (_, index) => 0x20 + index),
)
  .replace(',', '')
  .replace('=', '');

const tracestates: readonly (readonly [
  rule: string,
  expected: string | undefined,
  ...values: readonly string[],
])[] = [
  ['none', undefined],
  ['two members', 'foo=1,bar=2', 'foo=1,bar=2'],
  ['an empty header', undefined, ''],
  ['an empty header behind another', 'foo=1', 'foo=1', ''],
  ['an empty header before another', 'foo=1', '', 'foo=1'],
  ['several headers', 'foo=1,bar=2,rojo=1,congo=2,baz=3', 'foo=1,bar=2', 'rojo=1,congo=2', 'baz=3'],
  ['one key twice, alike', 'foo=1', 'foo=1,foo=1'],
  ['one key twice: the first is the newest', 'foo=1', 'foo=1,foo=2'],
  ['one key twice, alike, in two headers', 'foo=1', 'foo=1', 'foo=1'],
  ['one key twice, in two headers', 'foo=1', 'foo=1', 'foo=2'],
  [
    'all characters that are allowed',
    `${keyCharacters}=${valueCharacters}`,
    `${keyCharacters}=${valueCharacters}`,
  ],
  ['the same with an "@"', `${keyCharacters}@a=${valueCharacters}`, `${keyCharacters}@a=${valueCharacters}`],
  ['spaces and tabs around commas', 'foo=1,bar=2,baz=3', 'foo=1 \t , \t bar=2, \t baz=3'],
  ['tabs and spaces around commas', 'foo=1,bar=2,baz=3', 'foo=1\t \t,\t \tbar=2,\t \tbaz=3'],
  ['a space before it', 'foo=1', ' foo=1'],
  ['a tab before it', 'foo=1', '\tfoo=1'],
  ['a space behind it', 'foo=1', 'foo=1 '],
  ['a tab behind it', 'foo=1', 'foo=1\t'],
  ['spaces and tabs around it', 'foo=1', '\t foo=1 \t'],
  ['a space in a key', undefined, 'foo =1'],
  ['upper case in a key', undefined, 'FOO=1'],
  ['a dot in a key', undefined, 'foo.bar=1'],
  ['level 2: "@" ends a key', 'foo@=1,bar=2', 'foo@=1,bar=2'],
  ['level 2: "@" begins a key', undefined, '@foo=1,bar=2'],
  ['level 2: two "@" together', 'foo@@bar=1,bar=2', 'foo@@bar=1,bar=2'],
  ['level 2: two "@" apart', 'foo@bar@baz=1,bar=2', 'foo@bar@baz=1,bar=2'],
  ['level 2: a digit begins a key', '2vendor=1', '2vendor=1'],
  ['32 members', list(1, 32), list(1, 10), list(11, 20), list(21, 32)],
  ['33 members', undefined, list(1, 10), list(11, 20), list(21, 33)],
  ['a key of 256 characters', `foo=1,${'z'.repeat(256)}=1`, 'foo=1', `${'z'.repeat(256)}=1`],
  ['a key of 257 characters', undefined, 'foo=1', `${'z'.repeat(257)}=1`],
  ['level 2: 242 before an "@"', `foo=1,${'t'.repeat(242)}@v=1`, 'foo=1', `${'t'.repeat(242)}@v=1`],
  ['level 2: 15 behind an "@"', `foo=1,t@${'v'.repeat(15)}=1`, 'foo=1', `t@${'v'.repeat(15)}=1`],
  ['level 2: 257 with an "@"', undefined, 'foo=1', `${'t'.repeat(242)}@${'v'.repeat(14)}=1`],
  ['an equals sign in a value', undefined, 'foo=bar=baz'],
  ['no value: nothing of the header is kept', undefined, 'foo=,bar=3'],
];

describe('tracestate', () => {
  for (const [rule, expected, ...values] of tracestates) {
    test(rule, async () => {
      const [sent] = await call([
        ['traceparent', valid],
        ...values.map((value): RawHeader => ['tracestate', value]),
      ]);
      assert.deepEqual([sent?.continues, sent?.tracestate], [true, expected]);
    });
  }

  for (const [name, expected] of [
    ['trace-state', undefined],
    ['trace.state', undefined],
    ['TraceState', 'foo=1'],
    ['TrAcEsTaTe', 'foo=1'],
    ['TRACESTATE', 'foo=1'],
  ] as const) {
    test(`as ${name}`, async () => {
      const [sent] = await call([
        ['traceparent', valid],
        [name, 'foo=1'],
      ]);
      assert.equal(sent?.tracestate, expected);
    });
  }

  test('goes no further without a traceparent', async () => {
    for (const value of ['foo=1', 'foo=1,bar=2']) {
      const [sent] = await call([['tracestate', value]]);
      assert.deepEqual([sent?.continues, sent?.tracestate], [false, undefined]);
    }
  });
});

describe('three calls in one request', () => {
  for (const [name, continues, headers] of [
    ['with a valid traceparent', true, [['traceparent', valid]]],
    ['without one', false, []],
    ['with an invalid one', false, [['traceparent', `00-${'0'.repeat(32)}-${spanId}-01`]]],
  ] as const) {
    test(`${name}: one trace, three parents`, async () => {
      const sent = await call(headers, 3);
      assert.deepEqual(
        sent.map((one) => one.continues),
        Array(3).fill(continues),
      );
      assert.equal(new Set(sent.map(({ trace }) => trace)).size, 1);
      assert.equal(new Set(sent.map(({ parent }) => parent)).size, 3);
    });
  }
});

test('level 2: the random flag goes on', async () => {
  const [sent] = await call([['traceparent', `00-${ids}-02`]]);
  assert.deepEqual([sent?.continues, sent?.flags], [true, '02']);
});
