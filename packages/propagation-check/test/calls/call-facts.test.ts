import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readCallFacts } from '../../src/calls/call-facts.ts';
import { readBatchSize } from '../../src/calls/messaging-facts.ts';
import { cases } from '../cases.ts';
import { drawTrace } from '../draw-trace.ts';

const texts = (...parts: readonly string[]) => fc.constantFrom(...parts);
const anyUrl = fc
  .tuple(
    texts('http://', 'https://', 'HTTP://', 'ws://', 'http:/', 'ftp://'),
    texts('', 'user@', 'a:b@'),
    fc.oneof(
      texts(
        'orders',
        'orders.svc',
        'Orders',
        'a.1',
        '1.2.3',
        '127.0.0.1',
        '[::1]',
        'xn--a',
        'a..b',
        '0x7f',
        'é',
        '',
      ),
      fc.stringMatching(/^[a-z0-9.-]{0,8}$/),
    ),
    texts('', ':80', ':443', ':8080', ':08', ':65536', ':', ':99999'),
    fc.oneof(
      texts('', '/', '/a/../b', '/./a', '/a/.b', '/%2e/x', '/a b', '/a//b', '/é', '/a\\b', '/a;b', '\\x'),
      fc.stringMatching(/^(\/[a-z.%~_-]{0,4}){0,3}$/),
    ),
    texts('', '?q=1', '#f', '?a b', ' ', '\n'),
  )
  .map((parts) => parts.join(''));

test('the address and the path of a URL equal those of the URL parser', () => {
  const [span] = drawTrace('CLIENT web GET  a2  5..25');
  assert.ok(span);
  const defaultPorts: Readonly<Record<string, number>> = {
    'http:': 80,
    'ws:': 80,
    'https:': 443,
    'wss:': 443,
  };
  fc.assert(
    fc.property(anyUrl, (text) => {
      const url = URL.canParse(text) ? new URL(text) : null;
      const { host, port, path } = readCallFacts({ ...span, attributes: new Map([['url.full', text]]) });
      if (url === null || url.host === '') {
        assert.deepEqual([host, port], [null, null], text);
        return;
      }
      const expected = url.port === '' ? (defaultPorts[url.protocol] ?? null) : Number(url.port);
      assert.deepEqual([host, port, path], [url.hostname, expected, url.pathname], text);
    }),
    { seed: 20261128, numRuns: cases(20_000) },
  );
});

test('a batch has its recorded size, if that is a number of messages', () => {
  const [span] = drawTrace('CLIENT web GET  a2  5..25');
  assert.ok(span);
  const sizeOf = (size: string | number) =>
    readBatchSize({ ...span, attributes: new Map([['messaging.batch.message_count', size]]) });
  assert.deepEqual([5, '5', 0, -1, 2.5, 1e300, '1e300', 'many'].map(sizeOf), [5, 5, 1, 1, 1, 1, 1, 1]);
});
