import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { Admission, reasonOf } from '../../src/sink/admission.ts';
import { startSink } from '../../src/sink/start-sink.ts';
import { RefusedRequest } from '../../src/source/request-body.ts';
import { encodeOtlpLines } from '../../src/span/encode-otlp-lines.ts';
import { callOrders } from './make-judge.ts';

const anywhere = { host: '127.0.0.1', port: 0 };

async function start(t: TestContext, maxBytes: number) {
  const sink = await startSink({
    ...{ listen: [anywhere], metrics: anywhere, closeAfterMs: 10_000, maxBytes, maxEdges: 10 },
    ...{ statePath: null, saveEveryMs: 10_000, say: () => undefined },
  });
  t.after(() => sink.close());
  return sink;
}

/** Starts a sink without free memory. */
const startFull = (t: TestContext) => start(t, 64);

test('over HTTP a full sink answers 503 with Retry-After', async (t) => {
  const { urls, url } = await startFull(t);
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${urls[0]}/v1/traces`, { method: 'POST', headers, body: '{}' });
  assert.equal(response.status, 503);
  assert.equal(response.headers.get('retry-after'), '2');
  assert.deepEqual(await response.json(), { code: 8, message: 'the memory for spans is full; try again' });
  const ready = await fetch(`${url}/readyz`);
  assert.deepEqual([ready.status, await ready.text()], [503, 'the memory for spans is full; try again\n']);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  assert.match(metrics, /^propagation_sink_exports_refused_total\{reason="memory"\} 1$/m);
  const posted = await fetch(`${url}/metrics`, { method: 'POST' });
  assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD']);
});

test('over gRPC it answers RESOURCE_EXHAUSTED with RetryInfo, without which clients do not retry', async (t) => {
  const { urls } = await startFull(t);
  const client = new Client(new URL(urls[0] ?? '').host, credentials.createInsecure());
  t.after(() => client.close());
  const error = await new Promise<ServiceError | null>((resolve) => {
    client.makeUnaryRequest(
      '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
      (message: Uint8Array) => Buffer.from(message),
      (bytes: Buffer) => bytes,
      new Uint8Array(),
      resolve,
    );
  });
  assert.equal(error?.code, status.RESOURCE_EXHAUSTED);
  const [details] = error.metadata.get('grpc-status-details-bin');
  assert.ok(details instanceof Buffer);
  const type = 'type.googleapis.com/google.rpc.RetryInfo';
  const at = details.indexOf(type);
  assert.ok(at > 0, details.toString('latin1'));
  // Protobuf: field 2 of Any holds RetryInfo, whose field 1 is a Duration with 2 seconds in its field 1.
  assert.deepEqual([...details.subarray(at + type.length)], [0x12, 4, 0x0a, 2, 0x08, 2]);
});

test('an export that was admitted is refused when others have used the memory meanwhile', async (t) => {
  const maxBytes = 4 * 1024 * 1024;
  const { urls, url } = await start(t, maxBytes);
  // Each request has some kilobytes, and needs ten times as much in memory.
  const begun = Array.from({ length: 20 }, (_, part) => {
    const [line = ''] = encodeOtlpLines(
      callOrders(500, 0, part * 500 + 1).filter(({ serviceName }) => serviceName === 'orders'),
    ).split('\n');
    const headers = {
      'content-type': 'application/json',
      'content-encoding': 'gzip',
      expect: '100-continue',
    };
    const sending = request(`${urls[0]}/v1/traces`, { method: 'POST', headers });
    const admitted = once(sending, 'continue');
    const answered = once(sending, 'response');
    sending.flushHeaders();
    return { admitted, answered, send: () => sending.end(gzipSync(line)) };
  });
  await Promise.all(begun.map(({ admitted }) => admitted));
  for (const { send } of begun) send();
  const statuses = await Promise.all(
    begun.map(async ({ answered }) => {
      const [response] = await answered;
      response.resume();
      return response.statusCode;
    }),
  );
  assert.deepEqual([...new Set(statuses)].sort(), [200, 503]);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const [, held] = /^propagation_sink_held_bytes (\d+)$/m.exec(metrics) ?? [];
  assert.ok(Number(held) < maxBytes * 1.5, `${held} bytes`);
});

test('slow bodies use at most a quarter of the memory, and further ones are refused for now', async (t) => {
  const { urls, url } = await start(t, 4 * 1024 * 1024);
  const headers = { 'content-type': 'application/json' };
  const part = Buffer.alloc(200_000, ' ');
  // None of these requests ends, so only refused ones are answered.
  const begun = Array.from({ length: 8 }, () =>
    request(`${urls[0]}/v1/traces`, { method: 'POST', headers }).on('error', () => undefined),
  );
  const answers = begun.map((sending) => once(sending, 'response'));
  for (const sending of begun) sending.write(part);
  const [refused] = await Promise.race(answers);
  assert.deepEqual([refused.statusCode, refused.headers['retry-after']], [503, '1']);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  assert.match(metrics, /^propagation_sink_exports_refused_total\{reason="bodies"\} [1-9]/m);
  for (const sending of begun) sending.destroy();
});

test('an export that is too large for the memory is refused for good', async (t) => {
  const { urls } = await start(t, 16 * 1024 * 1024);
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
  const body = gzipSync(' '.repeat(1024 * 1024 + 1));
  const response = await fetch(`${urls[0]}/v1/traces`, { method: 'POST', headers, body });
  assert.equal(response.status, 413);
  assert.equal(response.headers.get('retry-after'), null);
});

test('exports are accepted while they wait no longer than two seconds', async () => {
  const admission = new Admission(
    () => true,
    () => false,
  );
  const work: (() => void)[] = [];
  const take = () => admission.inTurn(() => new Promise<void>((resolve) => work.push(resolve)));
  // Each export takes 450 ms.
  for (let done = 0; done < 4; done += 1) await admission.inTurn(async () => admission.addWork(450));
  const waiting = Array.from({ length: 4 }, take);
  assert.equal(admission.findObstacle(), null);
  waiting.push(take());
  const refusal = admission.findObstacle();
  assert.ok(refusal instanceof RefusedRequest);
  assert.equal(reasonOf(refusal), 'backlog');
  assert.equal(refusal.headers['retry-after'], '3');
  for (let done = 0; done < waiting.length; done += 1) {
    while (work.length === 0) await new Promise(setImmediate);
    work.shift()?.();
  }
  await Promise.all(waiting);
  assert.equal(admission.findObstacle(), null);
});
