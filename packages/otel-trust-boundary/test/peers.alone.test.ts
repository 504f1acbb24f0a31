/** Work that the boundary does not do twice, or at all. */
import assert from 'node:assert/strict';
import { channel } from 'node:diagnostics_channel';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { createPeers } from '../src/peers.ts';
import { parseTrust } from '../src/trust.ts';

const requests = channel('http.server.request.start');

test('requests are followed only where their addresses are needed, and once', () => {
  for (const trust of ['never', 'always'] as const) {
    createPeers(trust);
    assert.equal(requests.hasSubscribers, false);
  }
  for (const trust of ['10.0.0.0/8', 'fd00::/8']) createPeers(parseTrust(trust));
  let reads = 0;
  const headers = {};
  const request = Object.defineProperty(new IncomingMessage(new Socket()), 'headers', {
    get() {
      reads += 1;
      return headers;
    },
  });
  requests.publish({ request });
  assert.equal(reads, 1);
});

test('an address is looked up once a connection', () => {
  let reads = 0;
  const socket = Object.defineProperty(new Socket(), 'remoteAddress', {
    get() {
      reads += 1;
      return '10.0.0.1';
    },
  });
  const peers = createPeers(parseTrust('10.0.0.0/8'));
  assert.deepEqual([peers.isTrusted(socket), peers.isTrusted(socket), reads], [true, true, 1]);
});
