/** Answers in every healthy way that looks broken to a naive checker. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fastify, { type FastifyInstance } from 'fastify';
import { completeServerSpans, serve } from 'service-kit/server';
import * as telemetry from './telemetry.ts';

const app: FastifyInstance = fastify({ logger: { level: 'info' } });
completeServerSpans(app);
let flakyCalls = 0;

app.get('/ready', async () => ({ status: 'ok' }));
app.get('/work', async () => ({ service: 'service-b' }));
app.get('/moved', (_request, reply) => reply.redirect('/work'));
app.get('/stream', (_request, reply) => reply.send(Readable.from(produceLines())));

// Calls take turns: the first is cut off, the second is refused, the third is answered, and so on.
app.get('/flaky', (request, reply) => {
  flakyCalls += 1;
  if (flakyCalls % 3 === 1) return request.raw.destroy();
  return reply.code(flakyCalls % 3 === 2 ? 503 : 200).send({ service: 'service-b' });
});

// Answers only after the caller has disconnected.
app.get('/slow', async (request) => {
  await once(request.raw.socket, 'close');
  return { service: 'service-b' };
});

app.get('/endless', async (request, reply) => {
  reply.hijack();
  reply.raw.writeHead(200, { 'content-type': 'text/plain' }).write('more to come\n');
  await once(request.raw.socket, 'close');
  reply.raw.end();
});

app.server.on('upgrade', (request, socket) => greet(request.headers['sec-websocket-key'] ?? '', socket));

async function* produceLines(): AsyncGenerator<string> {
  for (let line = 0; line < 50; line += 1) {
    yield `line ${line}\n`;
    await nextTurn();
  }
}

/** Source: RFC 6455, sections 4.2.2 (opening handshake) and 5.2 (frames): one text message, then close on close. */
function greet(key: string, socket: Duplex): void {
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.write(Buffer.from([0x81, 0x02, ...Buffer.from('hi')]));
  socket.once('data', () => socket.end(Buffer.from([0x88, 0x00])));
  socket.on('error', () => undefined);
}

await serve(app, telemetry);
