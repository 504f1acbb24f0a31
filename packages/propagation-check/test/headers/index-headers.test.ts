import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { buildTraceGraph } from '../../src/graph/trace-graph.ts';
import type { WireRecord } from '../../src/headers/evidence.ts';
import { readWireContext } from '../../src/headers/read-wire-context.ts';
import { indexHeaders } from '../../src/headers/wire.ts';
import type { AttributeValue, Span } from '../../src/span/span.ts';

const epoch = 1_700_000_000_000;
const calls = 2_000;
const services = { client: 'web', server: 'orders' };

type Sides = readonly [client: Span | null, server: Span | null];

/** How many reads of records one look-up may take: a search in 2,000 records, and the few that fit. */
const readsEach = 70;

suite('a look-up reads a few of many records', () => {
  const spans = Array.from({ length: calls }, (_, index) => ({
    client: draw('CLIENT', index, 10),
    server: draw('SERVER', index, 20),
  }));
  const named = spans.map(({ client }, index) =>
    drawRecord(index, 12, { tap: 'outer', sent: `00-${client.traceId}-${client.spanId}-01` }),
  );
  const anonymous = spans.map((_, index) => drawRecord(index, 15, { tap: 'inner', sent: null }));
  const every = spans.flatMap(({ client, server }) => [client, server]);

  for (const [what, wire, sides] of [
    ['by the time of a SERVER span', anonymous, ({ server }) => [null, server]],
    ['by the time of a CLIENT span', anonymous, ({ client }) => [client, null]],
    ['of another tap within the time of one', [...named, ...anonymous], ({ client }) => [client, null]],
  ] satisfies [string, WireRecord[], (pair: { client: Span; server: Span }) => Sides][]) {
    test(what, () => {
      const { records, countReads } = watch(wire);
      const headersOf = indexHeaders({ wire: records, received: [] }, buildTraceGraph(every));
      const look = ([client, server]: Sides) => headersOf(client, server, services);
      // The first look-up builds the index.
      look(sides(spans[0] ?? assert.fail()));
      const before = countReads();
      for (const pair of spans) assert.equal(look(sides(pair))?.received?.contexts.length, 0);
      assert.ok(countReads() - before <= calls * readsEach, `${countReads() - before} reads`);
    });
  }
});

test("a record is nested in another tap's record if it begins within it, however late its end was recorded", () => {
  const [client, server] = [draw('CLIENT', 0, 10), draw('SERVER', 0, 20)];
  const outer = drawRecord(0, 12, { tap: 'outer', sent: `00-${client.traceId}-${client.spanId}-01` });
  const inner = { ...drawRecord(0, 15, { tap: 'inner', sent: null }), durationMs: outer.durationMs + 50 };
  const after = drawRecord(0, 90, { tap: 'inner', sent: null });
  const read = (wire: readonly WireRecord[]) =>
    indexHeaders({ wire, received: [] }, buildTraceGraph([client, server]))(client, server, services);
  assert.deepEqual(read([outer, inner])?.calledAt, ['outer', 'inner']);
  assert.deepEqual(read([outer, after])?.calledAt, ['outer'], 'begun after it');
});

test('within a millisecond, the places of taps decide which saw a request first, however late an end was recorded', () => {
  const [client, server] = [draw('CLIENT', 0, 10), draw('SERVER', 0, 20)];
  const sent = `00-${client.traceId}-${client.spanId}-01`;
  const outer = { ...drawRecord(0, 12, { tap: 'outer', sent }), server: null };
  const inner = { ...drawRecord(0, 12, { tap: 'inner', sent: null }), client: null, durationMs: 90 };
  for (const wire of [
    [outer, inner],
    [inner, outer],
  ]) {
    const headers = indexHeaders({ wire, received: [] }, buildTraceGraph([client, server]))(
      client,
      server,
      services,
    );
    assert.deepEqual(
      [headers?.calledAt, headers?.isAtCaller, headers?.isAtCallee],
      [['outer', 'inner'], true, true],
    );
  }
});

test("of equal records behind the caller's record, the one in front of the SERVER span counts", () => {
  const clients = [draw('CLIENT', 0, 10), { ...draw('CLIENT', 0, 11), spanId: 'a000000000000009' }];
  const servers = [40_001, 40_002].map((port, at) => {
    const server = draw('SERVER', 0, 20 + at);
    const peer = { 'network.peer.address': '127.0.0.1', 'network.peer.port': port };
    return {
      ...server,
      spanId: `b00000000000000${at}`,
      attributes: new Map<string, AttributeValue>([...server.attributes, ...Object.entries(peer)]),
      resource: new Map([['host.name', 'vm']]),
    };
  });
  const outer = clients.map((client, at) =>
    drawRecord(0, 12 + at, { tap: 'outer', sent: `00-${client.traceId}-${client.spanId}-01` }),
  );
  const inner = [40_001, 40_002].map((port, at) => ({
    ...drawRecord(0, 16 + at, { tap: 'inner', sent: null }),
    host: 'vm',
    callsFrom: `127.0.0.1:${port}`,
  }));
  const lookUp = (records: readonly WireRecord[]) => {
    const wire = [...outer, ...records];
    const headersOf = indexHeaders({ wire, received: [] }, buildTraceGraph([...clients, ...servers]));
    // Each answer also names the request of the other.
    return clients.flatMap((client) => servers.map((server) => headersOf(client, server, services)));
  };
  for (const records of [inner, inner.toReversed()])
    for (const headers of lookUp(records))
      assert.deepEqual(
        [headers?.isTied, headers?.isAtCallee, headers?.calledAt],
        [true, true, ['outer', 'inner']],
      );
  const b3 = readWireContext([{ name: 'b3', value: '0' }]);
  const torn = inner.map((record, at) => (at === 0 ? { ...record, sent: b3, received: b3 } : record));
  for (const headers of lookUp(torn)) assert.deepEqual(headers?.calledAt, ['outer']);
});

suite('calls that follow one another within a millisecond', () => {
  const calls = [drawShort('CLIENT', 0, 10, 2.8), drawShort('CLIENT', 1, 13, 2.4)];
  const servers = [drawShort('SERVER', 0, 12, 0.2), drawShort('SERVER', 1, 14, 0.7)];
  const record = (tap: 'outer' | 'inner', at: number, more: Partial<WireRecord> = {}): WireRecord => ({
    ...drawRecord(0, at, { tap, sent: null }),
    ...{ durationMs: 1.9, host: 'vm' },
    ...(tap === 'outer' ? { server: null } : { client: null }),
    ...more,
  });
  const first = [record('inner', 12, { faults: ['of the first'] }), record('outer', 11)];
  const readSecond = (wire: readonly WireRecord[]) => {
    const headersOf = indexHeaders({ wire, received: [] }, buildTraceGraph([...calls, ...servers]));
    const headers = headersOf(calls[1] ?? null, servers[1] ?? null, services);
    return [headers?.calledAt, headers?.injected, headers?.isTied, headers?.isAtCaller];
  };

  test("keep their records apart: the caller's tap was first", () => {
    const second = [record('inner', 14), record('outer', 14)];
    assert.deepEqual(readSecond([...first, ...second]), [['outer', 'inner'], [], true, true]);
    assert.deepEqual(readSecond([...first, record('outer', 14)]), [['outer'], [], true, true]);
  });

  test('keep their records apart behind the record that names the call', () => {
    const sent = `00-${calls[1]?.traceId}-${calls[1]?.spanId}-01`;
    const named = { ...record('outer', 13), sent: readWireContext([{ name: 'traceparent', value: sent }]) };
    assert.deepEqual(readSecond([...first, named]), [['outer'], [], true, true]);
  });

  test('order taps of two machines, whose clocks differ by a millisecond, by their places', () => {
    const second = [record('inner', 13, { host: 'other' }), record('outer', 14)];
    assert.deepEqual(readSecond(second), [['outer', 'inner'], [], true, true]);
  });
});

test('a loopback connection that shares its port with another one belongs to no call', () => {
  const client = draw('CLIENT', 0, 10);
  const servers = [40_001, 40_009].map((port, at) => {
    const server = drawShort('SERVER', at, 20 + at, 5);
    const peer = Object.entries({ 'network.peer.address': '127.0.0.1', 'network.peer.port': port });
    const attributes = new Map<string, AttributeValue>([...server.attributes, ...peer]);
    return { ...server, attributes, resource: new Map([['host.name', 'vm']]) };
  });
  const outer = drawRecord(0, 12, { tap: 'outer', sent: `00-${client.traceId}-${client.spanId}-01` });
  const inner = (ports: readonly number[], index = 0) =>
    ports.map((port) => ({
      ...drawRecord(index, 16, { tap: 'inner', sent: null }),
      ...{ host: 'vm', callsFrom: `127.0.0.1:${port}`, client: null, server: null },
    }));
  const read = (ports: readonly number[], later: readonly number[] = []) => {
    const wire = [{ ...outer, server: null }, ...inner(ports), ...inner(later, 1)];
    const headersOf = indexHeaders({ wire, received: [] }, buildTraceGraph([client, ...servers]));
    const headers = headersOf(client, servers[0] ?? null, services);
    return [headers?.isTied, headers?.isAtCallee];
  };
  assert.deepEqual(read([40_001, 40_002]), [false, false], 'one of two');
  assert.deepEqual(read([40_001, 40_009]), [true, true], 'both');
  assert.deepEqual(read([40_001]), [true, true], 'the only one');
  assert.deepEqual(read([40_001], [40_002]), [true, true], 'the only one of a time with spans');
});

/** Records that count the reads of their fields. */
function watch(wire: readonly WireRecord[]) {
  let reads = 0;
  const records = wire.map(
    (record) =>
      new Proxy(record, {
        get: (target, key, receiver) => {
          reads += 1;
          return Reflect.get(target, key, receiver);
        },
      }),
  );
  return { records, countReads: () => reads };
}

function drawRecord(
  index: number,
  at: number,
  { tap, sent }: { tap: string; sent: string | null },
): WireRecord {
  const context = readWireContext(sent === null ? [] : [{ name: 'traceparent', value: sent }]);
  return {
    time: new Date(epoch + index * 1_000 + at).toISOString(),
    durationMs: 90 - 2 * at,
    tap,
    target: 'http://127.0.0.1:8082',
    client: 'web',
    server: 'orders',
    host: null,
    calledAt: tap,
    callsFrom: null,
    protocolVersion: '1.1',
    method: 'GET',
    path: '/work',
    sent: context,
    received: readWireContext([]),
    faults: [],
    status: 200,
    answered: null,
    clientAborted: false,
    targetError: null,
  };
}

/** A span with a start in whole milliseconds, as SDKs for JavaScript write it. */
function drawShort(kind: Span['kind'], index: number, at: number, durationMs: number): Span {
  const { startTimeUnixNano, ...span } = draw(kind, 0, at);
  const endTimeUnixNano = startTimeUnixNano + BigInt(durationMs * 1_000_000);
  return { ...span, spanId: span.spanId.slice(0, -1) + index, startTimeUnixNano, endTimeUnixNano };
}

function draw(kind: Span['kind'], index: number, at: number): Span {
  const start = BigInt(epoch + index * 1_000 + at) * 1_000_000n;
  return {
    traceId: `${kind === 'CLIENT' ? 'a' : 'b'}${String(index).padStart(31, '0')}`,
    spanId: `${kind === 'CLIENT' ? 'a' : 'b'}${String(index).padStart(15, '0')}`,
    parentSpanId: null,
    name: 'GET',
    kind,
    serviceName: kind === 'CLIENT' ? 'web' : 'orders',
    scopeName: 'test',
    traceState: '',
    startTimeUnixNano: start,
    endTimeUnixNano: start + BigInt(90 - 2 * at) * 1_000_000n,
    attributes: new Map(Object.entries({ 'http.request.method': 'GET', 'url.path': '/work' })),
    resource: new Map(),
    links: [],
    status: { code: 'UNSET', message: '' },
    flags: null,
  };
}
