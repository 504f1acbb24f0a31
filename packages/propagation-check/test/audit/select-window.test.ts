import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findEndOf, selectWindow } from '../../src/audit/select-window.ts';
import type { Attributes, AttributeValue, Span } from '../../src/span/span.ts';
import { viewOf } from '../../src/span/span-store.ts';
import { storeOf } from '../../src/span/span-writer.ts';
import { drawTrace } from '../draw-trace.ts';

/** A fixed seed, so that every run tries the same inputs. A failure prints a seed and a path, which are to be added here. */
const seed = 20261124;

const spans = drawTrace(`
  trace a
  SERVER web GET /            a1  0..30
    CLIENT web GET            a2  5..25 url.full=http://orders/1
  trace b
  SERVER web GET /            b1  100..130
    CLIENT web GET            b2  105..225 url.full=http://orders/2
      SERVER orders GET /2    b3  201..220 url.path=/2
  trace c
  SERVER web GET /            c1  200..230
`);

/** The time at which drawings begin. Milliseconds since the epoch. */
const epoch = 1_700_000_000_000;

function idsIn(from: number, to: number): readonly string[] {
  const store = selectWindow(storeOf(spans), { from: epoch + from, to: epoch + to });
  return Array.from({ length: store.size }, (_, row) => viewOf(store, row).spanId.slice(0, 2));
}

test('a window has the whole traces that begin in it', () => {
  assert.deepEqual(idsIn(0, 100), ['a1', 'a2']);
  assert.deepEqual(idsIn(100, 200), ['b1', 'b2', 'b3']);
  assert.deepEqual(idsIn(200, 201), ['c1']);
  assert.deepEqual(idsIn(201, 300), []);
  assert.deepEqual(idsIn(Number.NEGATIVE_INFINITY, 200).length, 5);
  assert.equal(idsIn(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY).length, 6);
});

test('the end is later than the beginning of the last trace', () => {
  assert.equal(findEndOf(storeOf(spans)), epoch + 201);
  assert.equal(findEndOf(storeOf([])), Number.NEGATIVE_INFINITY);
});

test('spans of a window equal those of the whole store', () => {
  const hex = (length: number) =>
    fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
  const [drawn] = spans;
  assert.ok(drawn);
  const id = hex(16).filter((digits) => !/^0+$/.test(digits));
  const time = fc.bigInt({ min: 0n, max: 4_000_000_000_000_000_000n });
  const span = fc
    .record({
      traceId: fc.constantFrom('1'.repeat(32), '2'.repeat(32), '3'.repeat(16)),
      spanId: id,
      parentSpanId: fc.option(id),
      startTimeUnixNano: time,
      endTimeUnixNano: time,
      links: fc.array(fc.record({ traceId: hex(32), spanId: hex(16) }), { maxLength: 2 }),
      traceState: fc.constantFrom('', 'a=1'),
      serviceName: fc.constantFrom('web', 'orders', null),
      attributes: fc.constantFrom<Attributes>(
        new Map(),
        new Map([['url.path', '/1']]),
        new Map<string, AttributeValue>([
          ['http.request.method', 'GET'],
          ['server.port', 80],
        ]),
      ),
    })
    .map((fields): Span => ({ ...drawn, ...fields }));
  fc.assert(
    fc.property(
      fc.array(span, { maxLength: 12 }),
      fc.integer({ min: 0, max: 4_000_000_000_000 }),
      (all, to) => {
        const whole = storeOf(all);
        const part = selectWindow(whole, { from: Number.NEGATIVE_INFINITY, to });
        const begins = new Map<string, bigint>();
        for (const { traceId, startTimeUnixNano: start } of all) {
          const known = begins.get(traceId);
          if (known === undefined || start < known) begins.set(traceId, start);
        }
        const expected = Array.from({ length: whole.size }, (_, row) => viewOf(whole, row)).filter(
          ({ traceId }) => (begins.get(traceId) ?? 0n) < BigInt(to) * 1_000_000n,
        );
        assert.deepEqual(
          Array.from({ length: part.size }, (_, row) => viewOf(part, row)),
          expected,
        );
      },
    ),
    { seed },
  );
});
