import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRawHeaders } from '../../src/headers/propagation-header.ts';
import { removeHopByHop, removeHopByHopButUpgrade, toRawHeaders } from '../../src/tap/header-field.ts';

function removed(...raw: readonly string[]): readonly string[] {
  return toRawHeaders(removeHopByHop(readRawHeaders(raw)));
}

test('order, case and duplicates are kept', () => {
  const raw = ['HOST', 'b', 'x-A', '1', 'Transfer-Encoding', 'chunked', 'X-a', '2', 'Trailer', 'x'];
  assert.deepEqual(removed(...raw), raw);
});

test('headers of the connection are removed, and those that Connection names', () => {
  assert.deepEqual(
    removed(
      'Connection',
      'close, X-One',
      'Keep-Alive',
      'timeout=5',
      'X-One',
      '1',
      'connection',
      'TraceParent',
      'traceparent',
      'x',
      'X-Two',
      '2',
    ),
    ['X-Two', '2'],
  );
});

test('Connection cannot remove headers of framing and routing', () => {
  assert.deepEqual(removed('Connection', 'content-length, host', 'Host', 'b', 'Content-Length', '3'), [
    'Host',
    'b',
    'Content-Length',
    '3',
  ]);
});

test('TE keeps only trailers', () => {
  assert.deepEqual(removed('TE', 'gzip;q=1, trailers', 'Connection', 'TE'), [
    'Connection',
    'TE',
    'TE',
    'trailers',
  ]);
  assert.deepEqual(removed('TE', 'gzip', 'Connection', 'TE'), []);
});

test('Upgrade is forwarded only with a request to switch protocols', () => {
  const raw = ['Connection', 'keep-alive, Upgrade', 'Upgrade', 'websocket', 'X-A', '1'];
  assert.deepEqual(removed(...raw), ['X-A', '1']);
  assert.deepEqual(toRawHeaders(removeHopByHopButUpgrade(readRawHeaders(raw))), [
    'X-A',
    '1',
    'Connection',
    'Upgrade',
    'Upgrade',
    'websocket',
  ]);
});
