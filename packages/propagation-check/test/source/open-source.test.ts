import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSource } from '../../src/source/open-source.ts';
import { parseHeader } from '../../src/source/parse-header.ts';

test('every kind of source opens by its specification', async (t) => {
  const specs = {
    'jaeger=http://localhost:16686/jaeger/': 'jaeger=http://localhost:16686/jaeger',
    'tempo=https://tempo.example.com': 'tempo=https://tempo.example.com',
    'file=a=b.json': 'file=a=b.json',
    'file=-': 'file=-',
  };
  for (const [spec, name] of Object.entries(specs)) {
    const source = await openSource(spec);
    t.after(() => source.close());
    assert.equal(source.name, name);
  }
  const receiver = await openSource('otlp=127.0.0.1:0');
  t.after(() => receiver.close());
  assert.match(receiver.name, /^otlp=127\.0\.0\.1:[1-9]\d*$/);
  const two = await openSource('otlp=localhost:0,0');
  t.after(() => two.close());
  assert.match(two.name, /^otlp=localhost:[1-9]\d*,[1-9]\d*$/);
});

test('an unknown specification is an error that names the known ones', async () => {
  const wrong: Readonly<Record<string, RegExp>> = {
    '': /^--source "": not a source; use one of jaeger=URL, tempo=URL, otlp, otlp=HOST:PORT, otlp=HOST:PORT,PORT, file=PATH, file=-$/,
    'zipkin=http://x': /not a source; use one of/,
    'clickhouse=http://me:secret@x/otel':
      /^--source clickhouse: only propagation-check audit reads it; here use one of jaeger=URL/,
    jaeger: /not an http or https URL, for instance jaeger=http:\/\/localhost:16686$/,
    'jaeger=localhost:16686': /not an http or https URL/,
    'tempo=ftp://x': /not an http or https URL, for instance tempo=http:\/\/localhost:3200$/,
    'otlp=localhost': /expected HOST:PORT, for instance otlp=127\.0\.0\.1:4318$/,
    'otlp=127.0.0.1:70000': /expected HOST:PORT/,
    'otlp=127.0.0.1:4318,70000': /expected HOST:PORT/,
    'otlp=4318,': /expected HOST:PORT/,
    'file=': /the path is missing: file=PATH$/,
    'x\u001b[2J': /^--source "x\\u001b\[2J": not a source/,
  };
  for (const [spec, message] of Object.entries(wrong)) {
    await assert.rejects(openSource(spec), { name: 'SourceError', message });
  }
});

test('credentials in a URL are refused without being shown', async () => {
  await assert.rejects(openSource('jaeger=http://user:secret@host'), (error: Error) => {
    assert.match(error.message, /use --header/);
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
});

test('a header argument is a name and a value', () => {
  assert.deepEqual(parseHeader('--header', 'Authorization: Bearer a:b='), ['authorization', 'Bearer a:b=']);
  assert.deepEqual(parseHeader('--header', 'X-Scope-OrgID:tenant '), ['x-scope-orgid', 'tenant']);
  for (const argument of ['secret', ': secret', 'a b: secret', 'a: secret\r\nb: c', 'a: secret\u0100']) {
    assert.throws(
      () => parseHeader('--own', argument),
      (error: Error) => error.message.startsWith('--own: ') && !error.message.includes('secret'),
    );
  }
});
