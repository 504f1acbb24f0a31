import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockOf } from '../../src/pairing/align-clocks.ts';
import { describePair } from '../../src/rules/describe-pair.ts';
import { drawTrace } from '../draw-trace.ts';

const [client, server] = drawTrace(
  'trace a\nCLIENT web GET  a1  0..30\ntrace b\nSERVER orders GET  b1  5..25',
);

/** What follows the two spans in the text, with clocks that are ahead by these milliseconds. */
function describe(
  known: { isUnique?: boolean; isProven?: boolean; isTimed?: boolean; calls?: number; requests?: number },
  { web = 0, orders = 0 } = {},
): string {
  assert.ok(client !== undefined && server !== undefined);
  const clockOffsets = new Map(
    (
      [
        [client, web],
        [server, orders],
      ] as const
    ).map(([span, ahead]) => [
      clockOf(span),
      { service: span.serviceName, instance: null, ahead: BigInt(ahead) * 1_000_000n, guess: null },
    ]),
  );
  const { isUnique = true, ...others } = known;
  return describePair(
    { clockOffsets },
    { client, server, unique: isUnique },
    { isProven: false, isTimed: false, calls: 0, requests: 0, ...others },
  )
    .replace(client.spanId, 'CALL')
    .replace(`${server.spanId} of trace ${server.traceId}`, 'REQUEST');
}

test('one of several possible pairs names no request', () => {
  const several = 'CLIENT CALL has no child; such SERVER spans began traces of their own while it was open';
  assert.equal(describe({ isUnique: false, isProven: true, isTimed: true }), several);
});

test('a pair rests on clocks unless an answer or whole calls prove more', () => {
  const loose = { calls: 2, requests: 1 };
  assert.equal(
    describe({ ...loose, isProven: true }, { orders: 7 }),
    'CLIENT CALL was answered by SERVER REQUEST',
  );
  assert.equal(describe({ ...loose, isTimed: true }, { orders: 7 }), 'CLIENT CALL fits only SERVER REQUEST');
  for (const [clocks, says] of [
    [{ orders: 7 }, 'the clock of orders is 7 ms ahead'],
    [{ web: 7 }, 'the clock of orders is 7 ms behind'],
    [{ web: 2, orders: 7 }, 'the clock of orders is 5 ms ahead'],
    [{}, 'the clocks agree: 2 calls and 1 request fit none'],
  ] as const)
    assert.match(
      describe(loose, clocks),
      new RegExp(`^CLIENT CALL fits (only )?SERVER REQUEST, if ${says}$`),
    );
});

test('unpaired calls and requests suggest a clock offset only together', () => {
  for (const loose of [{ calls: 2 }, { requests: 1 }, {}])
    assert.equal(describe(loose), 'CLIENT CALL fits only SERVER REQUEST');
});
