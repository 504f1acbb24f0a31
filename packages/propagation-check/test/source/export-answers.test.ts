import assert from 'node:assert/strict';
import { request } from 'node:http';
import { type TestContext, test } from 'node:test';
import type { ExportRequest, Receiving } from '../../src/source/export-request.ts';
import { listenOnAll } from '../../src/source/otlp-receiver.ts';
import { BodyMemory, createTurns, type RefusedRequest } from '../../src/source/request-body.ts';

const headers = { 'content-type': 'application/json' };

async function start(t: TestContext, receiving: Partial<Receiving>) {
  const refusals: RefusedRequest[] = [];
  const [listener] = await listenOnAll(
    { host: '127.0.0.1', port: 0, maxConnections: 10 },
    {
      limits: { maxBytes: 1_000, memory: new BodyMemory(1_000) },
      ...{ inTurn: createTurns(), accept: async () => [], complain: () => undefined },
      onRefusal: (refusal) => refusals.push(refusal),
      ...receiving,
    },
    () => undefined,
  );
  assert.ok(listener !== undefined);
  t.after(() => listener.close());
  return { listener, refusals, url: `http://127.0.0.1:${listener.port}/v1/traces` };
}

test('a fault of this tool is answered with status 500', async (t) => {
  const accept = async () => {
    throw new TypeError('x is not a function');
  };
  const { url, refusals } = await start(t, { accept });
  const response = await fetch(url, { method: 'POST', headers, body: '{}' });
  assert.equal(response.status, 500);
  assert.deepEqual(await response.json(), { code: 13, message: 'a fault of this tool: x is not a function' });
  assert.deepEqual(
    refusals.map(({ status }) => status),
    [500],
  );
});

for (const isSentAgain of [true, false])
  test(`an export whose client disconnected while it waited is ${isSentAgain ? 'left to the next attempt' : 'accepted'}`, async (t) => {
    const taken: ExportRequest[] = [];
    const turn = Promise.withResolvers<void>();
    const waiting = Promise.withResolvers<void>();
    const finished = Promise.withResolvers<void>();
    const { url, listener, refusals } = await start(t, {
      isSentAgain,
      inTurn: async (work) => {
        waiting.resolve();
        await turn.promise;
        try {
          return await work();
        } finally {
          finished.resolve();
        }
      },
      accept: async (one) => {
        taken.push(one);
        return [];
      },
    });
    const sending = request(url, { method: 'POST', headers }).on('error', () => undefined);
    sending.end('{}');
    await waiting.promise;
    const gone = new Promise((resolve) => sending.once('close', resolve));
    // Closing the listener closes connections without an answer.
    await listener.close();
    await gone;
    turn.resolve();
    await finished.promise;
    assert.equal(taken.length, isSentAgain ? 0 : 1);
    assert.deepEqual(refusals, []);
  });
