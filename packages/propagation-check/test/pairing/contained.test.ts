import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pairMostlyContained } from '../../src/pairing/contained.ts';
import { thresholds } from '../../src/rules/thresholds.ts';
import type { Span } from '../../src/span/span.ts';
import { drawTrace } from '../draw-trace.ts';

/** Eight requests that contain their calls, which is enough for two more whose calls outlive them. */
const whole = Array.from(
  { length: 8 },
  (_, at) =>
    `SERVER web held  a${at + 1}  ${at * 100 - 1000}..${at * 100 - 990}\nCLIENT web call  b${at + 1}  ${at * 100 - 998}..${at * 100 - 992}`,
).join('\n');

/** The requests whose calls outlive them, by names: `request call`, with a `?` if another call fits too. */
function pairRest(drawn: string, mayMake: (request: Span, call: Span) => boolean = () => true) {
  const spans = drawTrace(`${whole}\n${drawn}`);
  const pair = (some: readonly Span[]): readonly string[] =>
    pairMostlyContained(
      some.filter(({ kind }) => kind === 'SERVER'),
      some.filter(({ kind }) => kind === 'CLIENT'),
      thresholds,
      mayMake,
    )
      .filter(({ client }) => client.name !== 'held')
      .map(({ client, server, unique }) => `${client.name} ${server.name}${unique ? '' : '?'}`);
  assert.deepEqual(pair(spans.toReversed()).toSorted(), pair(spans).toSorted());
  return pair(spans);
}

test('a call may begin as long after its request as the request lasted, and last as long', () => {
  const after = (from: number, to: number) =>
    pairRest(`SERVER web one  c1  0..10\nCLIENT web x  d1  ${from}..${to}`);
  assert.deepEqual(after(8, 18), ['one x']);
  assert.deepEqual(after(20, 30), ['one x']);
  assert.deepEqual(after(21, 31), []);
  assert.deepEqual(after(8, 19), []);
});

test('a call belongs to the latest request before it, or to none', () => {
  const next = 'SERVER web one  c1  0..10\nSERVER web two  c2  15..20\n';
  assert.deepEqual(pairRest(`${next}CLIENT web x  d1  15..22`), []);
  assert.deepEqual(
    pairRest(`${next}CLIENT web x  d1  15..19`, ({ name }) => name !== 'two'),
    [],
  );
  assert.deepEqual(pairRest(`SERVER web one  c1  0..10\nCLIENT web x  d1  -2000..-1995`), []);
});

test('the first of several calls is paired, but is not certain', () => {
  const request = 'SERVER web one  c1  0..10';
  assert.deepEqual(pairRest(`${request}\nCLIENT web x  d1  12..15\nCLIENT web y  d2  14..18`), ['one x?']);
  assert.deepEqual(pairRest(`${request}\nCLIENT web y  d2  12..18\nCLIENT web x  d1  12..15`), ['one x?']);
});

test('a call is paired with one request only', () => {
  const around = 'SERVER web around  c1  0..100\nSERVER web one  c2  40..45\nCLIENT web x  d1  46..48';
  assert.deepEqual(pairRest(around), ['around x']);
});
