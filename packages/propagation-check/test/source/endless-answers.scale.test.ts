import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGzip } from 'node:zlib';
import { answer, startHttpServer } from './http-server.ts';
import { assertRefused, head, startRawServer, writeForever } from './raw-server.ts';

test('an endless body, and one that is too large when uncompressed, are refused', async (t) => {
  const endless = await startRawServer(t, `${head}\r\n`, (socket) =>
    writeForever(socket, Buffer.alloc(64_000, 32)),
  );
  await assertRefused(
    endless,
    /the answer is larger than 268435456 bytes|no complete answer within/,
    '--timeout',
    '5s',
  );
  const bomb = await new Promise<Buffer>((resolve) => {
    const gzip = createGzip({ level: 9 });
    const chunks: Buffer[] = [];
    gzip.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks)));
    for (let megabyte = 0; megabyte < 300; megabyte += 1) gzip.write(Buffer.alloc(1_048_576, 32));
    gzip.end();
  });
  assert.ok(bomb.length < 400_000);
  const url = await startHttpServer(t, (_request, response) =>
    answer(response, 200, bomb, { 'content-type': 'application/json', 'content-encoding': 'gzip' }),
  );
  await assertRefused(url, /gzip: uncompressed data is larger than 268435456 bytes/, '--timeout', '5m');
});
