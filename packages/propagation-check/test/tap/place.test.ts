/** Real connections: a record has the addresses of both ends of the tap, and spans that name their peers prove that no hop is in between. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { type TestContext, test } from 'node:test';
import { buildTraceGraph } from '../../src/graph/trace-graph.ts';
import type { WireRecord } from '../../src/headers/evidence.ts';
import { readWireContext } from '../../src/headers/read-wire-context.ts';
import { indexHeaders } from '../../src/headers/wire.ts';
import type { Span } from '../../src/span/span.ts';
import { startTap } from '../../src/tap/start-tap.ts';
import { startTarget, traceId } from './support.ts';

const services = { client: 'web', server: 'orders' };

/** The peer as each side sees it: for the caller the address that it calls, for the target the connection. */
async function ask(t: TestContext, hops: 0 | 1 = 0) {
  const seen: AddressInfo[] = [];
  const target = await startTarget(t, ({ socket }, response) => {
    seen.push({ address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0, family: 'IPv4' });
    response.end('{}');
  });
  const records: WireRecord[] = [];
  const gateway = await startTap({
    listen: { port: 0 },
    target: target.url,
    onRecord: () => {},
  });
  const tap = await startTap({
    listen: { port: 0 },
    target: hops === 0 ? target.url : gateway.url,
    onRecord: (record) => records.push(record),
  });
  const [answer] = await once(get(`${tap.url}/work`), 'response');
  await once(answer.resume(), 'end');
  await tap.close();
  await gateway.close();
  const [record] = records;
  const [peer] = seen;
  assert.ok(record && peer);
  return { record, peer, port: Number(new URL(tap.url).port) };
}

function draw(kind: Span['kind'], serviceName: string, record: WireRecord, peer: object): Span {
  const start = BigInt(Date.parse(record.time)) * 1_000_000n;
  return {
    traceId,
    spanId: kind === 'CLIENT' ? 'b7ad6b7169203331' : 'b7ad6b7169203332',
    parentSpanId: null,
    name: 'GET',
    kind,
    serviceName,
    scopeName: 'test',
    traceState: '',
    startTimeUnixNano: start,
    endTimeUnixNano: start + 1_000_000_000n,
    attributes: new Map(Object.entries({ 'http.request.method': 'GET', 'url.path': '/work', ...peer })),
    resource: new Map([['host.name', hostname()]]),
    links: [],
    status: { code: 'UNSET', message: '' },
    flags: null,
  };
}

/** The headers of a call, by this record alone. */
function lookUp(record: WireRecord, client: Span | null, server: Span | null) {
  const graph = buildTraceGraph([client, server].filter((span) => span !== null));
  return indexHeaders({ wire: [record], received: [] }, graph)(client, server, services);
}

for (const hops of [0, 1] as const) {
  test(`with ${hops} gateways behind it, the tap is ${hops === 0 ? '' : 'not '}in front of the called service`, async (t) => {
    const { record, peer, port } = await ask(t, hops);
    const client = draw('CLIENT', 'web', record, { 'server.address': '127.0.0.1', 'server.port': port });
    const server = draw('SERVER', 'orders', record, {
      'network.peer.address': peer.address,
      'network.peer.port': peer.port,
    });
    const found = lookUp(record, client, server);
    assert.deepEqual([found?.isAtCaller, found?.isAtCallee], [true, hops === 0]);
  });
}

test('a tap that the caller does not call is not at the caller, whatever host name the caller uses', async (t) => {
  const { record } = await ask(t);
  const client = draw('CLIENT', 'web', record, { 'server.address': 'gateway', 'server.port': 8080 });
  const found = lookUp(record, client, null);
  assert.equal(found?.isAtCaller, false);
});

test('a caller that connects to a proxy is not at the tap whose address is in its URL', async (t) => {
  const { record, port } = await ask(t);
  const client = draw('CLIENT', 'web', record, {
    'server.address': '127.0.0.1',
    'server.port': port,
    'network.peer.address': '127.0.0.1',
    'network.peer.port': 3128,
  });
  const found = lookUp(record, client, null);
  assert.equal(found?.isAtCaller, false);
});

test('the loopback address of another host is not that of the tap', async (t) => {
  const { record, peer, port } = await ask(t);
  const elsewhere = { resource: new Map([['host.name', 'another-host']]) };
  const called = { 'server.address': 'localhost', 'server.port': port };
  const client = { ...draw('CLIENT', 'web', record, called), ...elsewhere };
  const from = { 'network.peer.address': peer.address, 'network.peer.port': peer.port };
  const server = { ...draw('SERVER', 'orders', record, from), ...elsewhere };
  const found = lookUp(record, client, server);
  assert.deepEqual([found?.isAtCaller, found?.isAtCallee, found?.isTied], [false, false, false]);
});

for (const [label, place] of [
  ['web', true],
  ['billing', false],
  [null, false],
] as const) {
  test(`a tap labelled ${label} is ${place ? '' : 'not '}at web, which has no CLIENT span`, async (t) => {
    const { record } = await ask(t);
    const server = draw('SERVER', 'orders', record, {});
    const found = lookUp({ ...record, client: label, server: 'orders' }, null, server);
    assert.equal(found?.isAtCaller, place);
  });
}

test('a tap without a label is not at a service without a name', async (t) => {
  const { record } = await ask(t);
  const client = { ...draw('CLIENT', 'web', record, {}), serviceName: null };
  const found = lookUp(record, client, null);
  assert.equal(found?.isAtCaller, false);
});

test('a record belongs to a call of the same time where the caller calls the tap, unless it names another span', async (t) => {
  const { record, port } = await ask(t);
  const client = draw('CLIENT', 'web', record, { 'server.address': '127.0.0.1', 'server.port': port });
  assert.equal(lookUp(record, client, null)?.isTied, true);
  assert.equal(lookUp({ ...record, calledAt: '10.0.0.9:80' }, client, null)?.isTied, false);
  const other = readWireContext([{ name: 'traceparent', value: `00-${traceId}-00f067aa0ba902b7-01` }]);
  assert.equal(lookUp({ ...record, sent: other }, client, null), null);
});
