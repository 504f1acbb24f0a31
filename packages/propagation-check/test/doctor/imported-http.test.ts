import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examine } from '../../src/doctor/examine.ts';

const telemetry = `import { NodeSDK } from '@opentelemetry/sdk-node';
import { getNodeAutoInstrumentations } from '@opentelemetry/auto-instrumentations-node';
new NodeSDK({ instrumentations: [getNodeAutoInstrumentations()] }).start();
`;

const scripts = { start: 'node --import ./telemetry.mjs server.mjs' };

function find(
  server: string,
  more: Readonly<Record<string, string>> = {},
  manifest: Readonly<Record<string, unknown>> = { scripts },
): readonly string[] {
  const dependencies = { '@opentelemetry/sdk-node': '1', '@opentelemetry/auto-instrumentations-node': '1' };
  const files = {
    'package.json': JSON.stringify({ name: 'web', type: 'module', dependencies, ...manifest }),
    ...{ 'server.mjs': server, 'telemetry.mjs': telemetry, ...more },
  };
  const { findings } = examine(Object.entries(files).map(([path, text]) => ({ path, text })));
  return findings.map(({ id, severity, path, line }) => `${severity} ${id} ${path}:${line}`);
}

const found = ['error node-esm-without-hook server.mjs:1'];
const named = "import { createServer } from 'node:http';\ncreateServer(f).listen(8080);\n";
const whole = "import http from 'node:http';\nhttp.createServer(f).listen(8080);\n";
const client = "import http from 'http';\nhttp.get('http://stock/');\n";
const namespace = "import * as http from 'node:http';\nhttp.get('http://stock/');\n";

test('http that is only imported is not patched, in whatever form', () => {
  for (const server of [named, whole, client, namespace, namespace.replace('get', 'createServer')])
    assert.deepEqual(find(server), found, server);
  assert.deepEqual(find(`${named}import { route } from './routes.mjs';`, { 'routes.mjs': '' }), found);
});

test('a server whose package names no start command is found by main or by the usual names', () => {
  const imports = `import './telemetry.mjs';\n${named}`;
  assert.deepEqual(find(imports, {}, {}), ['error node-esm-without-hook server.mjs:2']);
  assert.deepEqual(find(named, {}, { scripts: { dev: 'node --import ./telemetry.mjs server.mjs' } }), found);
  assert.deepEqual(find('', { 'bin/web.mjs': named }, { main: './bin/web.mjs' }), [
    'note node-esm-without-hook bin/web.mjs:1',
  ]);
  assert.deepEqual(find('', { 'test/server.mjs': named }, {}), []);
});

test('a command outside of the project may name the hook: a note', () => {
  assert.deepEqual(find(named, {}, {}), ['note node-esm-without-hook server.mjs:1']);
});

test('sources of browsers are no servers', () => {
  const dependencies = { '@opentelemetry/sdk-node': '1', '@opentelemetry/instrumentation-http': '1' };
  const files = { 'src/main.js': "import { createRoot } from 'react-dom';\nfetch('/api');\n" };
  assert.deepEqual(find('', files, { dependencies, scripts: {} }), []);
});

test('an exporter that requires http at its first export makes it a note', () => {
  const note = ['note node-esm-without-hook server.mjs:1'];
  const of = (version: string) => ({
    scripts,
    dependencies: { '@opentelemetry/sdk-node': version, '@opentelemetry/auto-instrumentations-node': '1' },
  });
  assert.deepEqual(find(named, {}, of('^0.203.0')), note);
  assert.deepEqual(find(named, {}, of('^0.204.0')), found);
  assert.deepEqual(find(named, { '.env': 'OTEL_EXPORTER_OTLP_PROTOCOL=grpc\n' }), note);
  const grpc = telemetry.replace(
    /^/,
    "import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';\n",
  );
  assert.deepEqual(find(named, { 'telemetry.mjs': grpc }), note);
});

test('a bundle in CommonJS requires http', () => {
  const bundled = {
    scripts: { start: 'node --require @opentelemetry/auto-instrumentations-node/register dist/web.cjs' },
  };
  assert.deepEqual(find('', { 'src/web.ts': named }, bundled), []);
  const preloaded = { scripts: { start: 'node --require ./telemetry.cjs server.mjs' } };
  assert.deepEqual(find(named, {}, preloaded), found);
});

test('a package that requires http has servers and the default import patched, but no copies of functions', () => {
  const express = "import express from 'express';\n";
  for (const server of [named, whole, client]) assert.deepEqual(find(server + express), [], server);
  assert.deepEqual(find(namespace + express), found);
  assert.deepEqual(find(`import { get } from 'node:http';\n${express}get('http://stock/');`), found);
});

test('a package that may require http makes it a note', () => {
  const note = ['note node-esm-without-hook server.mjs:1'];
  assert.deepEqual(find(`${named}import pg from 'pg';`), note);
  assert.deepEqual(find(`${named}await import(name);`), note);
  assert.deepEqual(find(`${namespace}import pg from 'pg';`), found);
});

test('http with a hook, for other purposes, or beside propagation of its own is silent', () => {
  const hook =
    "import { register } from 'node:module';\nregister('@opentelemetry/instrumentation/hook.mjs');";
  for (const server of [named, whole, client, namespace])
    assert.deepEqual(find(server, { 'hook.mjs': hook }), [], server);
  for (const server of [
    "import { STATUS_CODES } from 'node:http';\n",
    "import { type Server, createServer } from 'node:net';\ncreateServer(f);\n",
    `${named}import { createRequire } from 'node:module';\ncreateRequire(import.meta.url);\nrequire('http');`,
    `${named}propagation.extract(context.active(), headers);`,
    "import { get } from 'node:http';\npropagation.inject(context.active(), headers);\nget(url, { headers });",
  ])
    assert.deepEqual(find(server), [], server);
});
