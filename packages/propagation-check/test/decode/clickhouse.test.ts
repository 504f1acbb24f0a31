import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBytes } from '../../src/decode/detect-format.ts';
import { readFixture } from './fixture.ts';

const [traceId, clientId, serverId] = [
  '0af7651916cd43dd8448eb211c80319c',
  '00f067aa0ba902b7',
  '00f067aa0ba902b8',
];

/** Answers of a real ClickHouse 26 from the Collector's table: FORMAT JSONEachRow, and FORMAT JSON. */
for (const name of ['clickhouse-rows.jsonl', 'clickhouse.json']) {
  test(`an answer of ClickHouse is decoded: ${name}`, () => {
    const { format, spans } = decodeBytes(readFixture(name));
    assert.equal(format, 'clickhouse');
    const [client, server] = spans;
    const none = { traceState: '', flags: null, scopeName: 'http' };
    assert.deepEqual(client, {
      ...{ ...none, traceId, spanId: clientId, parentSpanId: null, name: 'GET', kind: 'CLIENT' },
      startTimeUnixNano: 1_700_000_000_000_000_001n,
      endTimeUnixNano: 1_700_000_000_009_000_001n,
      attributes: new Map([
        ['http.request.method', 'GET'],
        ['url.full', 'http://orders:8080/o'],
        ['http.request.header.traceparent', `["00-${traceId}-${clientId}-01"]`],
      ]),
      links: [],
      status: { code: 'UNSET', message: '' },
      serviceName: 'web',
      resource: new Map([
        ['service.name', 'web'],
        ['process.command_args', '["node"]'],
      ]),
    });
    assert.deepEqual(server, {
      ...{ ...none, traceId, spanId: serverId, parentSpanId: clientId, name: 'GET /o', kind: 'SERVER' },
      startTimeUnixNano: 1_700_000_000_001_000_000n,
      endTimeUnixNano: 1_700_000_000_008_000_000n,
      attributes: new Map([['http.request.method', 'GET']]),
      links: [{ traceId, spanId: clientId }],
      status: { code: 'ERROR', message: "it's" },
      serviceName: 'orders',
      resource: new Map([['service.name', 'orders']]),
    });
  });
}

test('times in other settings of ClickHouse are read', () => {
  const [row] = Buffer.from(readFixture('clickhouse-rows.jsonl')).toString().split('\n');
  const start = (time: string) => {
    const text = row?.replace(/"Timestamp":"[^"]*"/, `"Timestamp":"${time}"`) ?? '';
    return decodeBytes(Buffer.from(text)).spans[0]?.startTimeUnixNano;
  };
  assert.equal(start('2023-11-14T22:13:20.000000001Z'), 1_700_000_000_000_000_001n);
  assert.equal(start('1700000000.000000001'), 1_700_000_000_000_000_001n);
  assert.equal(start('2023-11-14 22:13:20'), 1_700_000_000_000_000_000n);
  assert.throws(() => start('14.11.2023'), { message: 'Timestamp: "14.11.2023" is not a time since 1970' });
});
