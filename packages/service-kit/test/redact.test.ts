import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redactHeader, redactPath } from 'service-kit/server';

test('of a target only the path is shown, in printable ASCII', () => {
  const rows = [
    ['/work', '/work'],
    ['/work?token=secret', '/work'],
    ['/work#secret', '/work'],
    ['//host/work?a', '//host/work'],
    ['http://user:secret@host/work?a', '/work'],
    ['http://host', '/'],
    ['/\u0085\u007f', '/%85%7F'],
    ['/a b', '/a%20b'],
    ['', '/'],
  ] as const;
  for (const [target, path] of rows) assert.equal(redactPath(target), path);
});

test('of baggage and tracestate only the keys are shown, and the entry that the demo is about', () => {
  const rows = [
    ['baggage', 'hello=world,user=alice;secret=1', 'hello=world,user=REDACTED'],
    ['baggage', 'hello=moon', 'hello=REDACTED'],
    ['tracestate', 'vendor=secret, other=1', 'vendor=REDACTED,other=REDACTED'],
    ['baggage', 'secret,=secret', 'REDACTED,REDACTED'],
    ['traceparent', '00-a-b-01', '00-a-b-01'],
    ['traceparent', '\u001b[31m\u009b', '%1B[31m%C2%9B'],
  ] as const;
  for (const [name, value, shown] of rows) assert.equal(redactHeader(name, value), shown);
});
