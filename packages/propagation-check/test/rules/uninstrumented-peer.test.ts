import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { checkFixtureDrawing } from '../engine/read-fixture-drawing.ts';
import { drawChain, drawClient, drawServer } from './judge-drawing.ts';

/** The statement about the calls to each peer, and how they ended. */
function tell(...lines: readonly string[]) {
  const { spans } = readDrawing(lines.map((line, at) => drawChain(at + 1, ...line.split('\n'))).join(''));
  return checkTraces(spans, {})
    .findings.filter(({ id }) => id === 'uninstrumented-peer')
    .map(({ ended, evidence }) => ({
      ended,
      says: evidence[0]?.says.replace(/^.* without a SERVER span/, ''),
    }));
}

test('the report says if a peer names its span in answers', () => {
  assert.deepEqual(
    checkFixtureDrawing('uninstrumented-peer/shown-answered.txt').findings.map(({ evidence }) =>
      evidence[0]?.says.replace(/^.*; /, ''),
    ),
    [
      'the peer answered with its span 00f067aa0ba902b7 of this trace, whose sampled flag is 0',
      'the peer answered with its span 00f067aa0ba902b8 of this trace, which is not in the data',
    ],
  );
});

test('calls are counted by how they ended', () => {
  const to = (target: string, at: number, more = 'http.response.status_code=200', service = 'web') =>
    drawClient({ from: at, to: at + 10, service }, target).replace('http.response.status_code=200', more);
  const failed = 'error.type=timeout status:ERROR';
  const rpc = 'web CLIENT "o.O/Get" 0..9 rpc.system=grpc rpc.method=o.O/Get';
  for (const [status, call, says] of [
    ['503', to('stock/items', 0, 'http.response.status_code=503'), 'may not come from the peer itself'],
    ['14', `${rpc} rpc.grpc.status_code=14`, "the caller's own library or a hop may have given"],
  ] as const)
    assert.deepEqual(tell(call), [
      { ended: { unavailable: 1 }, says: `: the call ended with status ${status}, which ${says}` },
    ]);
  for (const status of ['rpc.grpc.status_code=4', 'rpc.response.status_code=DEADLINE_EXCEEDED'])
    assert.deepEqual(tell(`${rpc} ${status} status:ERROR`), [
      { ended: { failed: 1 }, says: ': the call failed before an answer' },
    ]);
  assert.deepEqual(tell(`${rpc} rpc.grpc.status_code=1`)[0]?.ended, { aborted: 1 });
  const untold = { ended: undefined, says: '' };
  assert.deepEqual(tell(to('stock/items', 0)), [untold]);
  assert.deepEqual(tell(to('stock/items', 0, failed), to('stock/items', 20, failed), to('stock/items', 40)), [
    { ended: { failed: 2 }, says: ': the call failed before an answer' },
  ]);
  assert.deepEqual(tell('web CLIENT "GET" 0..9 http.request.method=GET'), [untold]);
  const whole = (service: string) =>
    `${to('orders:80/work', 100, undefined, service)}\n${drawServer({ from: 101, to: 109 })}`;
  const answered = {
    ended: { answered: 1 },
    says: ': other calls to this address are whole, so that a cache or a hop answered, or the span is lost',
  };
  assert.deepEqual(tell(whole('web'), to('orders:80/play', 0)), [answered]);
  assert.deepEqual(tell(whole('shop'), to('orders:80/play', 0)), [untold]);
  assert.deepEqual(tell(whole('web'), to('stock/play', 0)), [untold]);
});
