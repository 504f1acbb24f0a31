import { after, before, beforeEach, test } from 'node:test';
import { expectPropagation, startReceiver } from 'propagation-check';
import { startServices } from '../services/start-services.mjs';

/** The services are instrumented as in production. */
const withSdk = '--import @opentelemetry/auto-instrumentations-node/register';

/** @type {import('propagation-check').Receiver} */
let receiver;
/** @type {Awaited<ReturnType<typeof startServices>>} */
let services;

before(async () => {
  receiver = await startReceiver();
  services = await startServices({ ...receiver.env, NODE_OPTIONS: withSdk });
});
after(async () => {
  await services.stop();
  await receiver.close();
});
beforeEach(() => receiver.clear());

test('web propagates its trace context to orders', async () => {
  await fetch(services.url);
  await expectPropagation(receiver, 'web -> orders');
});
