import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examine } from '../../src/doctor/examine.ts';
import { readGeneration } from '../../src/doctor/installed-packages.ts';
import { readLockFile } from '../../src/doctor/read-lock-file.ts';

const manifest = {
  path: 'package.json',
  text: JSON.stringify({
    dependencies: { '@opentelemetry/sdk-node': '^0.205.0', '@opentelemetry/api': '^1.9.0' },
  }),
};

function find(lock: { readonly path: string; readonly text: string }) {
  return examine([manifest, lock]).findings.map(({ id, severity, path, line, says }) => ({
    ...{ id, severity, path, line },
    says,
  }));
}

const pnpm = (api: string) => `lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      '@opentelemetry/api':
        specifier: ^1.9.0
        version: 1.9.0
      '@opentelemetry/sdk-node':
        specifier: ^0.205.0
        version: 0.205.0(@opentelemetry/api@1.9.0)
packages:
  '@opentelemetry/api@1.9.0': {}
snapshots:
  '@opentelemetry/api@1.9.0': {}
  '@opentelemetry/api@1.10.0': {}
  '@opentelemetry/sdk-node@0.205.0(@opentelemetry/api@1.9.0)':
    dependencies:
      '@opentelemetry/api': 1.9.0
  '@opentelemetry/instrumentation-http@0.300.0(@opentelemetry/api@${api})':
    dependencies:
      '@opentelemetry/api': ${api}
`;

test('pnpm: each package has the copy that its snapshot names', () => {
  assert.deepEqual(find({ path: 'pnpm-lock.yaml', text: pnpm('1.9.0') }), []);
  const [finding, ...rest] = find({ path: 'pnpm-lock.yaml', text: pnpm('1.10.0') });
  assert.deepEqual(rest, []);
  assert.equal(finding?.id, 'node-api-apart');
  assert.equal(finding?.severity, 'error');
  assert.match(
    finding?.says ?? '',
    /instrumentation-http uses @opentelemetry\/api 1\.10\.0, and @opentelemetry\/sdk-node 0\.205\.0 registers with 1\.9\.0/,
  );
});

const yarn1 = `# yarn lockfile v1

"@opentelemetry/api@^1.10.0":
  version "1.10.0"

"@opentelemetry/api@^1.3.0", "@opentelemetry/api@^1.9.0":
  version "1.9.0"

"@opentelemetry/instrumentation-kafkajs@^0.30.0":
  version "0.30.0"
  dependencies:
    "@opentelemetry/api" "^1.10.0"

"@opentelemetry/sdk-node@^0.205.0":
  version "0.205.0"
  dependencies:
    "@opentelemetry/api" "^1.3.0"
`;

test('Yarn 1 and later: descriptors lead to copies', () => {
  const berry = yarn1
    .replace('# yarn lockfile v1', '__metadata:\n  version: 8')
    .replaceAll(/"(@[^"]+)@\^/g, '"$1@npm:^')
    .replaceAll(/version "([^"]+)"/g, 'version: $1')
    .replaceAll(/"@opentelemetry\/api" "\^([^"]+)"/g, '"@opentelemetry/api": "npm:^$1"')
    .replace('", "@opentelemetry/api@npm', ', @opentelemetry/api@npm');
  for (const text of [yarn1, berry]) {
    const [finding, ...rest] = find({ path: 'yarn.lock', text });
    assert.deepEqual(rest, [], text);
    assert.equal(finding?.id, 'node-api-apart', text);
    assert.equal(
      finding?.line,
      text.split('\n').findIndex((line) => line.includes('api@') && line.includes('1.10.0')) + 1,
    );
  }
});

test('npm: a copy inside a library is a note, a copy for tests is nothing', () => {
  const lock = (dev: boolean) =>
    JSON.stringify({
      packages: {
        'node_modules/@opentelemetry/api': { version: '1.9.0' },
        'node_modules/@opentelemetry/sdk-node': { version: '0.205.0' },
        'node_modules/@google-cloud/pubsub/node_modules/@opentelemetry/api': { version: '1.10.0', dev },
      },
    });
  const [note] = find({ path: 'package-lock.json', text: lock(false) });
  assert.equal(note?.severity, 'note');
  assert.match(note?.says ?? '', /^@google-cloud\/pubsub uses/);
  assert.deepEqual(find({ path: 'package-lock.json', text: lock(true) }), []);
});

test('node_modules is read where there is no lock file', () => {
  const installed = (path: string, version: string) => ({
    path: `${path}/package.json`,
    text: JSON.stringify({ version }),
  });
  const { findings } = examine([
    manifest,
    installed('node_modules/@opentelemetry/api', '1.9.0'),
    installed('node_modules/@opentelemetry/sdk-node', '0.205.0'),
    installed('node_modules/@opentelemetry/instrumentation-http', '0.300.0'),
    installed('node_modules/@opentelemetry/instrumentation-http/node_modules/@opentelemetry/api', '1.10.0'),
  ]);
  assert.deepEqual(
    findings.map(({ id, path }) => [id, path]),
    [
      [
        'node-api-apart',
        'node_modules/@opentelemetry/instrumentation-http/node_modules/@opentelemetry/api/package.json',
      ],
    ],
  );
});

test('a lock file in an unknown format is ignored', () => {
  assert.equal(
    readLockFile({ path: 'package-lock.json', text: '{"lockfileVersion":1,"dependencies":{}}' }),
    null,
  );
  assert.equal(readLockFile({ path: 'package-lock.json', text: '{' }), null);
});

test('generations of packages: the major version of stable ones, the hundreds of experimental ones', () => {
  const generations = ['^1.30.0', '2.2.0', '^0.57.1', '0.205.0', '~0.300.0', 'latest', '>=1 <3'].map(
    readGeneration,
  );
  assert.deepEqual(generations, [1, 2, 1, 2, 3, null, null]);
});
