import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { createHttpHooks } from 'service-kit/telemetry';

const { startIncomingSpanHook } = createHttpHooks({ metricsPort: null });

function request(headers: Readonly<Record<string, string>>): IncomingMessage {
  const message = new IncomingMessage(new Socket());
  message.url = '/work';
  Object.assign(message.headers, headers);
  return message;
}

test('an address that a header claims is replaced, also behind an empty header', () => {
  for (const claim of [
    { forwarded: 'for=192.0.2.1' },
    { 'x-forwarded-for': '192.0.2.1' },
    { forwarded: '', 'x-forwarded-for': '192.0.2.1' },
    { 'x-forwarded-for': '', 'x-forwarded-host': 'elsewhere' },
    { host: 'user:secret@orders' },
  ]) {
    const attributes = startIncomingSpanHook(request({ host: 'orders:8082', ...claim }));
    assert.ok('client.address' in attributes, JSON.stringify(claim));
    assert.equal(attributes['server.address'], 'orders');
  }
});

test('a request that claims nothing is left alone', () => {
  assert.deepEqual(startIncomingSpanHook(request({ host: 'orders:8082' })), {});
});
