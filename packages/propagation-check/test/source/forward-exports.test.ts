import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import type { OwnAddress } from '../../src/source/export-request.ts';
import { type ForwardOptions, openForward } from '../../src/source/forward-exports.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../../src/source/otlp-receiver.ts';
import { otlpRequest, otlpSpan } from '../decode/fixture.ts';
import { findFreePort } from '../free-ports.ts';
import { startHttpServer } from './http-server.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

async function start(t: TestContext, handle: Handler, options: Partial<ForwardOptions> = {}) {
  const url = await startHttpServer(t, async (request, response) =>
    handle(request, response, await buffer(request)),
  );
  return { url, ...(await startForwarding(t, { url, ...options })) };
}

async function startForwarding(
  t: TestContext,
  options: Partial<ForwardOptions> & { readonly url: URL },
): Promise<{ readonly receiver: OtlpReceiver; readonly said: readonly string[] }> {
  const said: string[] = [];
  const openSinks = async (own: OwnAddress) => [
    await openForward({ timeoutMs: 5_000, say: (text) => said.push(text), own, ...options }),
  ];
  const receiver = await startOtlpReceiver({ port: 0, openSinks });
  t.after(() => receiver.close());
  return { receiver, said };
}

async function post(receiver: OtlpReceiver, body: string, signal = 'traces'): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${receiver.url}/v1/${signal}`, { method: 'POST', body, headers });
  assert.equal(response.status, 200);
}

const makeExport = (digit: number) => JSON.stringify(otlpRequest(otlpSpan({ name: `export ${digit}` })));

test('every accepted export of traces, metrics and logs is forwarded unchanged, with the given headers', async (t) => {
  const arrived: unknown[] = [];
  const { receiver, said } = await start(
    t,
    (request, response, body) => {
      const { 'content-type': type, authorization } = request.headers;
      arrived.push([request.method, request.url, type, authorization, body.toString()]);
      response.end();
    },
    { headers: { authorization: 'Bearer x' } },
  );
  await post(receiver, makeExport(1));
  await post(receiver, '{"resourceMetrics":[]}', 'metrics');
  await post(receiver, '{"resourceLogs":[]}', 'logs');
  const refused = await fetch(`${receiver.url}/v1/traces`, { method: 'POST', body: '{' });
  assert.equal(refused.status, 415);
  await receiver.close();
  const common = ['application/json', 'Bearer x'] as const;
  assert.deepEqual(arrived, [
    ['POST', '/v1/traces', ...common, makeExport(1)],
    ['POST', '/v1/metrics', ...common, '{"resourceMetrics":[]}'],
    ['POST', '/v1/logs', ...common, '{"resourceLogs":[]}'],
  ]);
  assert.deepEqual(said, []);
});

test('another receiver of this tool accepts forwarded exports', async (t) => {
  const collector = await startOtlpReceiver({ port: 0 });
  t.after(() => collector.close());
  const { receiver } = await startForwarding(t, { url: new URL(collector.url) });
  await post(receiver, makeExport(1));
  await collector.waitForChange(0);
  assert.deepEqual(collector.readAll(), receiver.readAll());
});

test('an export is sent again if the Collector asks for it', async (t) => {
  const statuses = [503, 429, 200];
  const bodies: string[] = [];
  const { receiver, said } = await start(t, (_request, response, body) => {
    bodies.push(body.toString());
    response.writeHead(statuses.shift() ?? 500, { 'retry-after': '0' }).end();
  });
  await post(receiver, makeExport(1));
  await receiver.close();
  assert.deepEqual(bodies, [makeExport(1), makeExport(1), makeExport(1)]);
  assert.deepEqual(said, []);
});

test('a failure is reported once and counted at the end, and later exports are forwarded', async (t) => {
  const { receiver, said, url } = await start(t, (_request, response, body) => {
    response
      .writeHead(body.includes('export 2') || body.includes('export 3') ? 400 : 200)
      .end('no such tenant');
  });
  for (const digit of [1, 2, 3, 4]) await post(receiver, makeExport(digit));
  await receiver.close();
  const where = `--forward ${url.origin}`;
  assert.deepEqual(said, [
    `${where}: answered 400: “no such tenant”; the check goes on, and what is lost is counted at its end`,
    `${where}: 2 of 4 exports were not delivered (2 spans)`,
  ]);
  assert.equal(receiver.revision, 4);
});

const rejection = { partialSuccess: { rejectedSpans: '2', errorMessage: 'too old' } };
/** Field 1 (`partial_success`), with `rejected_spans` 2 and the message. */
const encoded = '\x0a\x0b\x08\x02\x12\x07too old';

for (const [contentType, body] of [
  ['application/json; charset=utf-8', JSON.stringify(rejection)],
  ['application/x-protobuf', encoded],
  ['', encoded],
] as const)
  test(`spans that the Collector rejects are reported and counted, in an answer of type "${contentType}"`, async (t) => {
    const { receiver, said, url } = await start(t, (request, response) => {
      const headers = contentType === '' ? {} : { 'content-type': contentType };
      response.writeHead(200, headers).end(request.url === '/v1/traces' ? body : '');
    });
    for (const digit of [1, 2]) await post(receiver, makeExport(digit));
    await receiver.close();
    const where = `--forward ${url.origin}`;
    assert.deepEqual(said, [
      `${where}: rejected 2 spans: "too old"; the check goes on, and what is lost is counted at its end`,
      `${where}: rejected 4 spans in all`,
    ]);
  });

test('a Collector that is not running is reported', async (t) => {
  const url = new URL(`http://127.0.0.1:${await findFreePort()}/`);
  const { receiver, said } = await startForwarding(t, { url });
  await post(receiver, makeExport(1));
  await receiver.close();
  assert.match(
    said[0] ?? '',
    /^--forward http:\S+: connection refused; is the Collector running there, and is this its OTLP\/HTTP port \(4318\)\?; the check goes on/,
  );
  assert.match(said[1] ?? '', /: 1 of 1 export was not delivered \(1 span\)$/);
});

test('a Collector that does not answer delays no service, and the queue for it is bounded', async (t) => {
  const asked = Promise.withResolvers<void>();
  const { receiver, said } = await start(t, () => asked.resolve(), {
    maxQueuedBytes: 1_000,
    closeMs: 1,
    timeoutMs: 60_000,
  });
  const body = JSON.stringify(otlpRequest(otlpSpan({ name: 'x'.repeat(400) })));
  await post(receiver, body);
  await asked.promise;
  for (let count = 0; count < 5; count += 1) await post(receiver, body);
  assert.equal(receiver.revision, 6);
  assert.match(
    said[0] ?? '',
    /: the Collector is too slow: more than 1000 bytes wait for it; the check goes on/,
  );
  await receiver.close();
  assert.match(said[1] ?? '', /: 6 of 6 exports were not delivered \(6 spans\)$/);
});

test('the receiver does not forward to itself', async (t) => {
  for (const host of ['127.0.0.1', 'localhost']) {
    const port = await findFreePort();
    const url = new URL(`http://${host}:${port}/`);
    const openSinks = async (own: OwnAddress) => [
      await openForward({ url, timeoutMs: 1_000, say: t.diagnostic.bind(t), own }),
    ];
    await assert.rejects(startOtlpReceiver({ port, openSinks }), {
      name: 'SourceError',
      message: /is this receiver itself; name the Collector's address/,
    });
  }
});
