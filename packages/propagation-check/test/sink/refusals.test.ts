import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { Admission, reasonOf } from '../../src/sink/admission.ts';
import { startSink } from '../../src/sink/start-sink.ts';
import { RefusedRequest } from '../../src/source/request-body.ts';

const anywhere = { host: '127.0.0.1', port: 0 };

/** A sink that has no room. */
async function startFull(t: TestContext) {
  const sink = await startSink({
    ...{ listen: [anywhere], metrics: anywhere, closeAfterMs: 1_000, maxBytes: 1, maxEdges: 10 },
    ...{ statePath: null, saveEveryMs: 10_000, say: () => undefined },
  });
  t.after(() => sink.close());
  return sink;
}

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
});

test('over gRPC it answers RESOURCE_EXHAUSTED with RetryInfo, without which clients do not try again', async (t) => {
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
  // Field 2 of Any, with field 1 of RetryInfo, a Duration, with 2 in its field 1, the seconds.
  assert.deepEqual([...details.subarray(at + type.length)], [0x12, 4, 0x0a, 2, 0x08, 2]);
});

test('nothing is refused while exports wait no longer than two seconds', async () => {
  const admission = new Admission(
    () => true,
    () => false,
  );
  const work: (() => void)[] = [];
  const take = () => admission.inTurn(() => new Promise<void>((resolve) => work.push(resolve)));
  // An export takes 450 ms.
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
