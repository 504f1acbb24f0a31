/** Calls service B in every healthy way that looks broken to a naive checker: one route for each. */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import fastify, { type FastifyInstance } from 'fastify';
import { completeServerSpans, serve } from 'service-kit/server';
import type { VariantName } from '../../variant.ts';
import * as telemetry from './telemetry.ts';

/** A service that exports no spans. */
const peer = new URL(process.env.PEER_URL ?? 'http://127.0.0.1:9');
const attempts = 3;
const patienceMs = 50;

const variants: Readonly<Record<VariantName, () => Promise<unknown>>> = {
  parallel: () => ask('/work'),

  'keep-alive': async () => {
    for (let call = 0; call < 5; call += 1) await ask('/work');
  },

  retry: async () => {
    for (let attempt = 1; attempt < attempts; attempt += 1) {
      const response = await fetch(new URL('/flaky', telemetry.config.serviceBUrl)).catch(() => null);
      await response?.text();
      if (response?.ok) return;
    }
    await ask('/flaky');
  },

  redirect: () => ask('/moved'),

  timeout: async () => {
    const signal = AbortSignal.timeout(patienceMs);
    await fetch(new URL('/slow', telemetry.config.serviceBUrl), { signal }).catch(() => null);
    await ask('/work');
  },

  abort: async () => {
    const over = new AbortController();
    await fetch(new URL('/endless', telemetry.config.serviceBUrl), { signal: over.signal });
    over.abort();
    await ask('/work');
  },

  streaming: async () => {
    const { body } = await fetch(new URL('/stream', telemetry.config.serviceBUrl));
    return body === null ? null : Readable.fromWeb(body);
  },

  // The method and path are the same as at service B.
  'external-peer': () => Promise.all([ask('/work', peer), ask('/work')]),

  'fan-out': () =>
    Promise.all([ask('/work'), ask('/work'), ask('/work'), ask('/stream'), ask('/elsewhere', peer)]),

  'health-probes': () => ask('/work'),

  websocket: async () => {
    const socket = new WebSocket(new URL('/socket', telemetry.config.serviceBUrl));
    await once(socket, 'message');
    socket.close();
    await once(socket, 'close');
    await ask('/work');
  },
};

async function ask(path: string, base = telemetry.config.serviceBUrl): Promise<void> {
  const response = await fetch(new URL(path, base));
  await response.text();
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}`);
}

const app: FastifyInstance = fastify({ logger: { level: 'info' } });
completeServerSpans(app);
app.get('/ready', async () => ({ status: 'ok' }));
for (const [name, call] of Object.entries(variants)) {
  app.get(`/${name}`, async () => (await call()) ?? { status: 'ok' });
}

await serve(app, telemetry);
