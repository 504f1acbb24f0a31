import assert from 'node:assert/strict';
import { channel } from 'node:diagnostics_channel';
import { test } from 'node:test';
import { createPeers } from '../src/peers.ts';
import { parseTrust } from '../src/trust.ts';

test('requests are followed only where their addresses are needed', () => {
  const requests = channel('http.server.request.start');
  for (const trust of ['never', 'always'] as const) {
    createPeers(trust);
    assert.equal(requests.hasSubscribers, false);
  }
  createPeers(parseTrust('10.0.0.0/8'));
  assert.equal(requests.hasSubscribers, true);
});
