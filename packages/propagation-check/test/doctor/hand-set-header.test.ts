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

test('a variable counts in its block only, and a function where it returns the header', () => {
  for (const [server, severity] of [
    [
      'function a() {\n  const headers = { traceparent };\n  reply({ headers });\n}\nfetch(url, { headers });',
      null,
    ],
    ['const headers = { traceparent };\nfunction b(headers) {\n  return fetch(url, { headers });\n}', null],
    ['const headers = {};\nif (id) {\n  headers.traceparent = id;\n}\nfetch(url, { headers });', 'warning'],
    [
      'function make(id) {\n  const own = {};\n  own.traceparent = id;\n  return own;\n}\nfetch(url, { headers: make(id) });',
      'warning',
    ],
    [
      'function read(id) {\n  log({ traceparent: id });\n  return { accept: 1 };\n}\nfetch(url, { headers: read(id) });',
      'note',
    ],
  ] as const)
    assert.deepEqual(
      find(server).map((text) => text.replace(/ .*/, '')),
      severity === null ? [] : [severity],
      server,
    );
});

test('a file that suppresses the instrumentation may do so for calls in others: a note', () => {
  const files = { 'untraced.js': 'export const untraced = (f) => context.with(suppressTracing(now()), f);' };
  const server =
    "import { untraced } from './untraced.js';\nuntraced(() => fetch(url, { headers: { traceparent } }));";
  assert.deepEqual(find(server, files), ['note node-injects-twice server.js:2']);
});

test('functions and clients of the same name in another file are others', () => {
  const other = "import { request } from 'node:https';\nrequest(url, { headers: { traceparent: parent } });";
  assert.deepEqual(
    find("import { request } from 'undici';\nimport './other.cjs';\nimport 'express';\nrequest(url);", {
      'other.cjs': other,
    }),
    [],
  );
  const own = 'const headers = () => ({ accept: 1 });\nfetch(url, { headers: headers() });';
  assert.deepEqual(
    find("import './own.js';\nconst headers = () => ({ traceparent });\nlog(headers());", { 'own.js': own }),
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
    'function pass(req) {\n  const { traceparent, ...rest } = req.headers;\n  return rest;\n}\nfetch(url, { headers: pass(req) });',
    'const pass = ({ traceparent, ...rest }) => rest;\nfetch(url, { headers: pass(req.headers) });',
    'const own = { ...more };\nown.traceparent = undefined;\nfetch(url, { headers: own });',
    `function load(path) {\n  return fetch(path);\n}\n${helper}load(traceHeaders(req));`,
    "fetch(url, { headers: { 'x-note': 'traceparent: none' } });",
    'fetch(url, { headers: { id: isOld ? traceparent : b3 } });',
    "async function send(topic, { headers }) {\n  await fetch(registry);\n  producer.send({ topic, headers });\n}\nsend('orders', { headers: { traceparent } });",
  ])
    assert.deepEqual(find(server), [], server);
  const off = { '.env': 'OTEL_NODE_ENABLED_INSTRUMENTATIONS=http\n' };
  assert.deepEqual(find('fetch(url, { headers: { traceparent: parent } });', off), []);
});
