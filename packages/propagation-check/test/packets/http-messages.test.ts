import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Message, MessageReader } from '../../src/packets/http-messages.ts';

test("trailers belong to no head, not even to the next message's", () => {
  const heads: Message[] = [];
  const reader = new MessageReader('REQUEST', {
    onHead: (message) => {
      heads.push(message);
      return false;
    },
    onEnd: () => undefined,
  });
  const first = 'POST /one HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\ntraceparent: trailer\r\n\r\n';
  const second = 'GET /two HTTP/1.1\r\nhost: b\r\n\r\n';
  reader.read({
    time: 1,
    sequence: 1,
    acknowledged: 1,
    bytes: Buffer.from(first + second),
    isAfterGap: false,
  });
  assert.deepEqual(
    heads.map(({ url, fields }) => [url, fields]),
    [
      ['/one', [{ name: 'transfer-encoding', value: 'chunked' }]],
      ['/two', [{ name: 'host', value: 'b' }]],
    ],
  );
});
