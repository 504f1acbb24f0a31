import assert from 'node:assert/strict';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { openMcpBody } from '../../src/tap/mcp-messages.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { spanId, startTapTo, startTarget, traceId, traceparent } from './support.ts';

const ofMcp = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': '2026-07-28',
};

function callTool(meta: object | undefined, id = 1) {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'get_weather', _meta: meta } };
}

/** Posts a body through a tap. */
async function post(t: TestContext, body: string, headers: object = ofMcp) {
  let seen = '';
  const target = await startTarget(t, async (incoming, response) => {
    seen = await text(incoming);
    response.end('{}');
  });
  const tap = await startTapTo(t, target.url);
  await new Promise((resolve, reject) => {
    const sent = request(`${tap.url}/mcp`, { method: 'POST', headers: { ...headers, traceparent } });
    sent.on('response', (response) => response.resume().once('end', resolve));
    sent.on('error', reject);
    sent.end(body);
  });
  await tap.readRecords(1);
  return { seen, records: tap.records };
}

test('each message has a record with its params._meta, beside the record of the request', async (t) => {
  const carried = `00-${traceId}-b7ad6b7169203331-01`;
  const body = JSON.stringify(callTool({ traceparent: carried, baggage: 'a=1', progressToken: 7 }));
  const { seen, records } = await post(t, body);
  assert.equal(seen, body);
  assert.deepEqual(
    records.map(({ method, path, sent }) => [method, path, sent.headers.map(({ name }) => name)]),
    [
      ['POST', '/mcp', ['traceparent']],
      ['MCP', 'tools/call get_weather', ['traceparent', 'baggage']],
    ],
  );
  const [overHttp, ofMessage] = records;
  const readId = (record: typeof overHttp): unknown => {
    const [reading] = record?.received?.contexts ?? [];
    return reading?.state === 'valid' && reading.format === 'tracecontext' ? reading.spanId : null;
  };
  assert.equal(readId(overHttp), spanId);
  assert.equal(readId(ofMessage), 'b7ad6b7169203331');
});

test('a message without context is recorded without context', async (t) => {
  const { records } = await post(t, JSON.stringify(callTool(undefined)));
  assert.deepEqual(records[1]?.sent, { headers: [], contexts: [], baggage: [] });
});

test('each message of a batch has a record; answers have none', async (t) => {
  const answer = { jsonrpc: '2.0', id: 9, result: {} };
  const ping = { jsonrpc: '2.0', method: 'notifications/initialized' };
  const { records } = await post(t, JSON.stringify([callTool({ traceparent }), answer, ping]));
  assert.deepEqual(
    records.slice(1).map(({ path }) => path),
    ['tools/call get_weather', 'notifications/initialized'],
  );
});

for (const [what, body, headers] of [
  ['no JSON', '{"jsonrpc":"2.0","method":', ofMcp],
  ['JSON of something else', '{"method":"tools/call"}', ofMcp],
  [
    'a request that takes no stream',
    JSON.stringify(callTool({ traceparent })),
    { ...ofMcp, accept: 'application/json' },
  ],
  ['a body beyond 1 MiB', JSON.stringify(callTool({ traceparent, filler: 'x'.repeat(1024 * 1024) })), ofMcp],
  ['nothing', '', ofMcp],
] as const) {
  test(`of ${what} only the request is recorded, and the body passes unchanged`, async (t) => {
    const { seen, records } = await post(t, body, headers);
    assert.equal(seen === body, true);
    assert.deepEqual(
      records.map(({ method }) => method),
      ['POST'],
    );
  });
}

test('a tap at a known place decides whether params._meta arrived', async (t) => {
  const { records } = await post(t, JSON.stringify(callTool(undefined)));
  const [, message] = records;
  assert.ok(message);
  const { spans, expectation } = readDrawing(`expect agent -> tools
trace 1
  agent CLIENT "tools/call get_weather" 10..90 mcp.method.name=tools/call gen_ai.tool.name=get_weather
trace 2
  tools SERVER "tools/call get_weather" 20..80 mcp.method.name=tools/call gen_ai.tool.name=get_weather
`);
  const [client] = spans;
  assert.ok(client);
  const time = new Date(Number(client.startTimeUnixNano / 1_000_000n) + 2).toISOString();
  const wire = [{ ...message, time, durationMs: 60, client: 'agent', server: 'tools' }];
  const { findings } = checkTraces(spans, { expectation, headers: { wire, received: [] } });
  assert.deepEqual(
    findings.map(({ id, confidence }) => `${id} ${confidence}`),
    ['header-not-sent certain'],
  );
  assert.match(findings[0]?.fix ?? '', /params\._meta/);
});

test('a batch makes at most a hundred records', async (t) => {
  const { records } = await post(t, JSON.stringify(Array.from({ length: 150 }, (_, id) => callTool({}, id))));
  assert.equal(records.length, 1 + 100);
});

test('a body that ends after the head of its answer is read when it is complete, and once', () => {
  const body = openMcpBody(
    'POST',
    Object.entries(ofMcp).map(([name, value]) => ({ name, value })),
  );
  assert.ok(body !== null);
  const bytes = Buffer.from(JSON.stringify(callTool({ traceparent })));
  body.take(bytes.subarray(0, 20));
  assert.deepEqual(body.readMessages(), []);
  body.take(bytes.subarray(20));
  const messages = body.readMessages();
  assert.equal(messages.length, 1);
  assert.equal(body.readMessages(), messages);
});
