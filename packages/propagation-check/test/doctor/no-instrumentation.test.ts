import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examine } from '../../src/doctor/examine.ts';

const require = "const { NodeSDK } = require('@opentelemetry/sdk-node');\n";

function find(setUp: string, more: Readonly<Record<string, string>> = {}): readonly string[] {
  const dependencies = { '@opentelemetry/sdk-node': '1', '@opentelemetry/auto-instrumentations-node': '1' };
  const manifest = JSON.stringify({
    name: 'web',
    scripts: { start: 'node --require ./tracing.js app.js' },
    dependencies,
  });
  const files = {
    'package.json': manifest,
    'app.js': "require('express')().listen(8080);",
    'tracing.js': require + setUp,
    ...more,
  };
  const { findings } = examine(Object.entries(files).map(([path, text]) => ({ path, text })));
  return findings.map(({ id, path, line }) => `${id} ${path}:${line}`);
}

test('an SDK that is given no instrumentations has none, even where one is installed', () => {
  for (const setUp of [
    'new NodeSDK().start();',
    'new NodeSDK({}).start();',
    'new NodeSDK({ instrumentations: [] }).start();',
    'new NodeSDK({ traceExporter: new Exporter(), instrumentations: [ ], serviceName: name() }).start();',
    "new NodeSDK({ serviceName: 'web' }).start();",
  ])
    assert.deepEqual(find(setUp), ['node-no-instrumentation tracing.js:2'], setUp);
});

test('an SDK may get instrumentations from a variable, a package of the project, a preload or the platform', () => {
  for (const setUp of [
    'new NodeSDK(options).start();',
    'new NodeSDK({ ...options }).start();',
    'new NodeSDK({ instrumentations }).start();',
    "new NodeSDK({ serviceName: 'a)', instrumentations: list() }).start();",
    'new NodeSDK({ instrumentations: list() }).start();',
    'new NodeSDK().start(); registerInstrumentations({ instrumentations: list() });',
  ])
    assert.deepEqual(find(setUp), [], setUp);
  const preloads = 'ENV NODE_OPTIONS="--require @acme/tracing"';
  const installs = "require('@opentelemetry/instrumentation-http');";
  for (const more of [
    { Dockerfile: `FROM node\n${preloads}\nCMD ["node", "app.js"]\n` },
    { 'other.js': installs },
    { 'shared/package.json': '{ "name": "shared" }', 'shared/index.js': installs },
  ])
    assert.deepEqual(find('new NodeSDK().start();', more), [], Object.keys(more).join());
});
