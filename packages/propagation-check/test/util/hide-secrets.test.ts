import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hideSecrets } from '../../src/util/hide-secrets.ts';

test('user and password of a URL are hidden, up to the last @ of its authority', () => {
  assert.equal(hideSecrets('GET http://user:p@ssw0rd@host/x'), 'GET http://REDACTED@host/x');
  assert.equal(hideSecrets('http://user@host/a?key=1'), 'http://REDACTED@host/a?REDACTED');
});

test('an @ in a path does not end a password', () => {
  assert.equal(hideSecrets('http://host/@scope/name'), 'http://host/@scope/name');
});
