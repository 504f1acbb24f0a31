import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { startReceiver } from 'propagation-check';
import { startServices } from '../services/start-services.mjs';

/** The services are instrumented as in production. */
const withSdk = '--import @opentelemetry/auto-instrumentations-node/register';

/** @type {import('propagation-check').Receiver} */
let receiver;
/** @type {Awaited<ReturnType<typeof startServices>>} */
let services;

beforeAll(async () => {
  receiver = await startReceiver();
  services = await startServices({ ...receiver.env, NODE_OPTIONS: withSdk });
});
afterAll(async () => {
  await services.stop();
  await receiver.close();
});
beforeEach(() => receiver.clear());

test('web propagates its trace context to orders', async () => {
  await fetch(services.url);
  await expect(receiver).toPropagate('web -> orders');
});
