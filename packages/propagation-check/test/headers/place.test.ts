import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { WireRecord } from '../../src/headers/evidence.ts';
import { findHost, isCalledBy, isInFrontOf } from '../../src/headers/place.ts';
import { readWireContext } from '../../src/headers/read-wire-context.ts';
import type { Span } from '../../src/span/span.ts';
import { readDrawing } from '../engine/read-drawing.ts';

/** A request over loopback, as a packet capture records it. */
const captured: WireRecord = {
  time: '2026-01-01T00:00:00.000Z',
  durationMs: 1,
  tap: 'packets to 127.0.0.1:8082',
  target: 'http://127.0.0.1:8082',
  client: null,
  server: null,
  host: null,
  calledAt: '127.0.0.1:8082',
  callsFrom: '127.0.0.1:48150',
  protocolVersion: '1.1',
  method: 'GET',
  path: '/work',
  sent: readWireContext([]),
  received: readWireContext([]),
  faults: [],
  status: 200,
  answered: null,
  clientAborted: false,
  targetError: null,
};

const client = draw('CLIENT "GET" 0..9 url.full=http://127.0.0.1:8082/work resource:host.name=One');
const server = drawServer(48150, 'resource:host.name=one');

suite('a packet capture of loopback, which exists on every machine', () => {
  test("belongs to the request that came from its caller's port, and to that request's machine", () => {
    assert.ok(isInFrontOf(captured, { span: server, service: null }));
    assert.equal(findHost(captured, server), 'one');
    assert.ok(isCalledBy({ ...captured, host: 'one' }, { span: client, service: null }));
  });

  test('belongs to no request that came from another port', () => {
    const other = drawServer(48151, 'resource:host.name=one');
    assert.ok(!isInFrontOf(captured, { span: other, service: null }));
    assert.equal(findHost(captured, other), null);
  });

  test('belongs to no call if nothing names the machine', () => {
    assert.ok(!isCalledBy(captured, { span: client, service: null }));
    assert.equal(findHost(captured, drawServer(48150)), null);
    assert.ok(!isCalledBy({ ...captured, host: 'two' }, { span: client, service: null }));
  });

  test('a tap names its machine and belongs to no other', () => {
    assert.ok(!isInFrontOf({ ...captured, host: 'two' }, { span: server, service: null }));
  });
});

function drawServer(port: number, extra = ''): Span {
  return draw(`SERVER "GET" 0..9 network.peer.address=127.0.0.1 network.peer.port=${port} ${extra}`);
}

function draw(line: string): Span {
  const [span] = readDrawing(`trace 1\n  web ${line}`).spans;
  assert.ok(span !== undefined);
  return span;
}
