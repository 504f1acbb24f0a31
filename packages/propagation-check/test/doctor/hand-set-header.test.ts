import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examine } from '../../src/doctor/examine.ts';

const dependencies = { '@opentelemetry/auto-instrumentations-node': '1', axios: '1' };
const manifest = JSON.stringify({
  ...{ name: 'web', type: 'module', dependencies },
  scripts: { start: 'node --import @opentelemetry/auto-instrumentations-node/register server.js' },
});

function find(server: string, more: Readonly<Record<string, string>> = {}): readonly string[] {
  const files = { 'package.json': manifest, 'server.js': server, ...more };
  const { findings } = examine(Object.entries(files).map(([path, text]) => ({ path, text })));
  return findings.map(({ id, severity, path, line }) => `${severity} ${id} ${path}:${line}`);
}

const helper = 'function traceHeaders(req) {\n  return { traceparent: req.headers.traceparent };\n}\n';
const imported = "import { traceHeaders } from './trace-headers.js';\n";

test('a traceparent that the code gives fetch is a second one', () => {
  for (const [server, line] of [
    ["fetch(url, { headers: { traceparent: req.headers['traceparent'] } });", 1],
    ["fetch(url, {\n  method: 'POST',\n  headers: { 'Traceparent': parent, accept: '*/*' },\n});", 1],
    [`${helper}await fetch(url, { headers: traceHeaders(req) });`, 4],
    [`${helper}await fetch(url, { headers: { accept: '*/*', ...traceHeaders(req) } });`, 4],
    ['const make = (req) => ({ traceparent: req.id });\nfetch(url, { headers: make(req) });', 2],
    ['const headers = { traceparent };\nfetch(url, { headers });', 2],
    ["const own = new Headers();\nown.set('traceparent', parent);\nfetch(url, { headers: own });", 3],
    ["headers['traceparent'] = parent;\nfetch(url, { method: 'GET', headers });", 2],
    [`${helper}const own = traceHeaders(req);\nfetch(url, { headers: own });`, 5],
    [`import { request } from 'undici';\nrequest(url, { headers: { traceparent: parent } });`, 2],
    [
      `async function call(url, init) {\n  return fetch(url, init);\n}\n${helper}await call(url, { headers: traceHeaders(req) });`,
      7,
    ],
  ] as const)
    assert.deepEqual(find(server), [`warning node-injects-twice server.js:${line}`], server);
});

test('the function that makes the headers may be in another file', () => {
  const server = `${imported}await fetch(url, { headers: traceHeaders(req) });`;
  assert.deepEqual(find(server, { 'trace-headers.js': `export ${helper}` }), [
    'warning node-injects-twice server.js:2',
  ]);
  assert.deepEqual(
    find(server, { 'trace-headers.js': 'export function traceHeaders() {\n  return {};\n}' }),
    [],
  );
});

test('all headers of the incoming request may contain one: a note', () => {
  for (const server of [
    'fetch(url, { headers: req.headers });',
    'fetch(url, { method, headers: { ...ctx.request.headers, host } });',
  ])
    assert.deepEqual(find(server), ['note node-injects-twice server.js:1'], server);
});

test('a function around fetch that gets a value with a traceparent, which may be the body: a note', () => {
  const call = 'function call(path, headers) {\n  return fetch(url + path, { headers });\n}\n';
  assert.deepEqual(find(`${call}${helper}call('/', traceHeaders(req));`), [
    'note node-injects-twice server.js:7',
  ]);
});

test('clients on http, other uses of the header, and code that is not instrumented are silent', () => {
  for (const server of [
    `import axios from 'axios';\n${helper}await axios.get(url, { headers: traceHeaders(req) });`,
    "import http from 'node:http';\nimport express from 'express';\nhttp.get(url, { headers: { traceparent: parent } });",
    `${helper}log(traceHeaders(req));\nawait fetch(url);`,
    'await fetch(url);\nreply.send({ traceparent: request.headers.traceparent ?? null });',
    'const { traceparent } = await (await fetch(url)).json();\nassert.equal(traceparent, sent);',
    "fetch(url, { headers: { accept: '*/*' } }).then((answer) => print({ traceparent: answer.id }));",
    'await context.with(suppressTracing(context.active()), () => fetch(url, { headers: { traceparent } }));',
    'fetch(url, { headers: { etag: req.headers.etag } });',
    "fetch(url, { method: 'POST', body: JSON.stringify({ traceparent }), headers: { accept: '*/*' } });",
    `${helper}fetch(url, { headers: { accept: '*/*' }, body: JSON.stringify(traceHeaders(req)) });`,
    "fetch(url, { headers: { 'ce-traceparent': parent } });",
    "import fetch from 'node-fetch';\nfetch(url, { headers: { traceparent: parent } });",
    'interface Answer { traceparent: string }\nfetch(url);',
  ])
    assert.deepEqual(find(server), [], server);
  const off = { '.env': 'OTEL_NODE_ENABLED_INSTRUMENTATIONS=http\n' };
  assert.deepEqual(find('fetch(url, { headers: { traceparent: parent } });', off), []);
});
