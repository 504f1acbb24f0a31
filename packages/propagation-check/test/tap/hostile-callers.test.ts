import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSocket, readAll, startTapTo, startTarget } from './support.ts';

const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: b\r\n\r\n';

/** Requests whose end the two sides of a proxy could see at different places. */
const ambiguous: Readonly<Record<string, string>> = {
  'both framings': `POST / HTTP/1.1\r\nHost: b\r\nContent-Length: ${smuggled.length + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  'both framings, the other way round': `POST / HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n${smuggled}`,
  'two lengths': `POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  'a list of lengths': `POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 0, ${smuggled.length}\r\n\r\n${smuggled}`,
  'a length with a sign': `POST / HTTP/1.1\r\nHost: b\r\nContent-Length: +0\r\n\r\n${smuggled}`,
  'an encoding that only looks like chunked': `POST / HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`,
  'chunked, and not as the last encoding': `POST / HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`,
  'a space before the colon': `POST / HTTP/1.1\r\nHost: b\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  'a folded line': `POST / HTTP/1.1\r\nHost: b\r\nX: a\r\n Transfer-Encoding: chunked\r\nContent-Length : 0\r\n\r\n${smuggled}`,
  'a bare carriage return': `GET / HTTP/1.1\r\nHost: b\r\nX: a\rContent-Length: 40\r\n\r\n${smuggled}`,
  'a chunk size that is none': `POST / HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n${smuggled}`,
};

test('requests with an ambiguous end smuggle nothing past the tap', async (t) => {
  const seen: (string | undefined)[] = [];
  const target = await startTarget(t, (request, response) => {
    seen.push(request.url);
    request.resume();
    response.end();
  });
  const { port, url } = await startTapTo(t, target.url);
  for (const [name, bytes] of Object.entries(ambiguous)) {
    const socket = await openSocket(t, port, bytes);
    assert.match(await readAll(socket), /^HTTP\/1\.1 400 Bad Request/, name);
  }
  assert.ok(!seen.includes('/smuggled'), String(seen));
  assert.equal((await fetch(`${url}/after`)).status, 200);
  t.diagnostic(`${Object.keys(ambiguous).length} ambiguous requests: all refused with 400, none smuggled`);
});

test('requests with an absolute URL and another Host reach only the target of the tap', async (t) => {
  const other = await startTarget(t, (_request, response) => response.end('other'));
  const target = await startTarget(t, (request, response) =>
    response.end(`${request.headers.host} ${request.url}`),
  );
  const { port, readRecords } = await startTapTo(t, target.url);
  const requests = [
    `GET ${other.url}/secret?token=1 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`,
    `GET http://user:password@${new URL(other.url).host}/x HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n`,
    `OPTIONS * HTTP/1.1\r\nHost: ${new URL(other.url).host}\r\nConnection: close\r\n\r\n`,
  ];
  for (const request of requests) {
    const answer = await readAll(await openSocket(t, port, request));
    assert.match(answer, /^HTTP\/1\.1 200 OK/);
    assert.doesNotMatch(answer, /other$/);
  }
  const records = await readRecords(requests.length);
  assert.deepEqual(
    records.map(({ path }) => path),
    ['/secret', '/x', '*'],
  );
  assert.doesNotMatch(JSON.stringify(records), /token|password/);
});

test('line breaks in HTTP/2 headers do not become headers of their own', async (t) => {
  const target = await startTarget(t);
  const { port, readRecord } = await startTapTo(t, target.url);
  // Frames written by hand, because no client sends this: HEADERS with a literal field "baggage: a=1\r\ncookie: c".
  const literal = (text: string) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
  const block = Buffer.concat([
    Buffer.from([0x82, 0x86, 0x84, 0x41]),
    ...[literal('b'), Buffer.from([0x00]), literal('baggage'), literal('a=1\r\ncookie: c')],
  ]);
  const frame = (type: number, flags: number, stream: number, payload: Buffer) =>
    Buffer.concat([Buffer.from([0, 0, payload.length, type, flags, 0, 0, 0, stream]), payload]);
  const socket = await openSocket(t, port, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(frame(0x4, 0, 0, Buffer.alloc(0)));
  socket.write(frame(0x1, 0x5, 1, block));
  const record = await readRecord();
  assert.equal(record.protocolVersion, '2');
  assert.deepEqual(record.sent.headers, [], 'a field that is not valid is none');
});
