import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examine } from '../../src/doctor/examine.ts';

const tracing = `const { NodeSDK } = require('@opentelemetry/sdk-node');
const { getNodeAutoInstrumentations } = require('@opentelemetry/auto-instrumentations-node');
new NodeSDK({ instrumentations: [getNodeAutoInstrumentations()] }).start();
`;

function find(app: string, more: Readonly<Record<string, string>> = {}): readonly string[] {
  const dependencies = { '@opentelemetry/sdk-node': '1', '@opentelemetry/auto-instrumentations-node': '1' };
  const manifest = JSON.stringify({ name: 'web', scripts: { start: 'node app.js' }, dependencies });
  const files = { 'package.json': manifest, 'app.js': app, 'tracing.js': tracing, ...more };
  const { findings } = examine(Object.entries(files).map(([path, text]) => ({ path, text })));
  return findings.map(({ id, path, line }) => `${id} ${path}:${line}`);
}

const setUp = "require('./tracing');\n";
const send = "get('http://orders/');\n";

test('a function that is destructured from http before the SDK sends no header, whatever is loaded later', () => {
  for (const head of [
    "const { get, createServer } = require('http');\n",
    "const { get } = require('node:https');\n",
    "const { request: get } = require('https');\n",
    "const {\n  get,\n} = require('http');\n",
  ]) {
    const [finding = 'none', ...others] = find(`${head}${setUp}require('fastify');\n${send}`);
    assert.match(finding, /^node-sdk-late app\.js:[13]$/, head);
    assert.deepEqual(others, []);
    assert.deepEqual(find(setUp + head + send), [], 'swapped');
  }
});

test('http that is loaded before the SDK and never again is not patched', () => {
  const late = ['node-sdk-late app.js:1'];
  const head = "const http = require('http');\n";
  assert.deepEqual(find(`${head}${setUp}http.get('http://orders/');`), late);
  assert.deepEqual(
    find(`${head}const express = require('express');\n${setUp}http.get('http://orders/');`),
    late,
  );
  assert.deepEqual(find(`${head}${setUp}require('fs');\nhttp.createServer(f);`), late);
  assert.deepEqual(find(`const { createServer } = require('http');\n${setUp}createServer(f);`), late);
  assert.deepEqual(find(`${head}${tracing}http.request('http://orders/');`), late);
  assert.deepEqual(
    find(`${head}${setUp}require('./routes');\nhttp.createServer(f);`, { 'routes.js': "require('path');" }),
    late,
  );
});

test('http that anything may load again is patched in place', () => {
  const head = "const http = require('http');\n";
  const use = "http.get('http://orders/');\n";
  for (const app of [
    `${head}${setUp}const express = require('express');\n${use}`,
    `${head}${setUp}${use}function f() {\n  require('http');\n}`,
    `${head}${setUp}${use}for (const name of names) require(name);\n`,
    `${head}${setUp}require('./generated');\n${use}`,
    `${head}${tracing}require('fastify');\n${use}`,
    `const { createServer } = require('http');\n${setUp}require('fastify');\ncreateServer(f);`,
    `${head}${setUp}${use}propagation.inject(context.active(), headers);`,
    // The program makes no call with the functions that were loaded early.
    `${head}${setUp}console.log(http.STATUS_CODES);`,
    `const { STATUS_CODES } = require('http');\n${setUp}new Map().get('http://orders/');`,
  ])
    assert.deepEqual(find(app), [], app);
});
