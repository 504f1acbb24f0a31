import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examine } from '../../src/doctor/examine.ts';
import { kindOf } from '../../src/doctor/files.ts';
import { readNginx } from '../../src/doctor/nginx-file.ts';
import { readSource } from '../../src/doctor/source-file.ts';

function find(files: Readonly<Record<string, string>>): readonly string[] {
  const { findings } = examine(Object.entries(files).map(([path, text]) => ({ path, text })));
  return findings.map(({ id, path, line, column, service }) => `${id} ${path}:${line}:${column} ${service}`);
}

test('binary files are named, and a project with no other files is not judged', () => {
  const judge = (files: Readonly<Record<string, string>>) =>
    examine(Object.entries(files).map(([path, text]) => ({ path, text })));
  const [bytes, utf16] = ['\x02\ufffd\x00k', 'F\0R\0O\0M\0'];
  const [random, encrypted] = [judge({ 'nginx.conf': bytes }), judge({ Dockerfile: utf16, '.env': bytes })];
  assert.match(random.reason ?? '', /^nginx\.conf cannot be read as text: .*; save it as UTF-8/);
  assert.match(encrypted.reason ?? '', /^Dockerfile and 1 more cannot be read as text: /);
  assert.deepEqual(random.gaps, ['nginx.conf is no text and was not read']);
  assert.deepEqual([random.verdict, random.read], ['unknown', {}]);
  const image = 'FROM node:22\nENV OTEL_PROPAGATORS=tracecontext\n';
  const beside = judge({ Dockerfile: image, '.env': bytes });
  assert.deepEqual([beside.verdict, beside.gaps], ['clean', ['.env is no text and was not read']]);
  assert.match(
    judge({ Dockerfile: image, 'compose.yaml': bytes }).reason ?? '',
    /^compose\.yaml cannot be read as text/,
  );
  const code = judge({ Dockerfile: image, 'app.js': 'const bell = "\x07";' });
  assert.deepEqual([code.verdict, code.gaps], ['clean', []]);
});

test('files that cannot be parsed are named with their folder and the place of the first error', () => {
  const { reason, gaps } = examine(
    [
      { path: 'package.json', text: '{\n  "name": "a",\n  "scripts": { "start": node }}\n}' },
      { path: 'package-lock.json', text: '{' },
    ],
    [],
    'services/web/',
  );
  assert.match(reason ?? '', /^services\/web\/package\.json:4:1 cannot be parsed; mend the syntax/);
  assert.deepEqual(gaps, [
    'not read: services/web/package-lock.json, services/web/package.json:4:1 (a template, a syntax error, or another version)',
  ]);
});

test('Compose: anchors, merge keys, lists, env files, defaults and the Dockerfile that is built', () => {
  assert.deepEqual(
    find({
      'compose.yaml': `x-otel: &otel
  OTEL_PROPAGATORS: none
services:
  merged:
    image: a
    environment:
      <<: *otel
      OTEL_SERVICE_NAME: orders
  listed:
    image: a
    environment:
      - OTEL_PROPAGATORS=baggage
  defaulted:
    image: a
    environment:
      OTEL_PROPAGATORS: \${P:-none}
  unknown:
    image: a
    environment:
      OTEL_PROPAGATORS: \${P}
      NAME_ALONE:
  filed:
    image: a
    env_file: [web.env]
  built:
    build: web
  overridden:
    image: a
    env_file: web.env
    environment:
      OTEL_PROPAGATORS: tracecontext
`,
      'web.env': '# comment\nexport OTEL_PROPAGATORS="none" # why\n',
      'web/Dockerfile':
        'FROM node:22 AS build\nENV OTEL_PROPAGATORS=tracecontext\nFROM node:22\nENV A=1 \\\n    OTEL_PROPAGATORS=none\n',
    }),
    [
      'propagators-none compose.yaml:2:3 orders',
      'propagators-none compose.yaml:12:9 listed',
      'propagators-none compose.yaml:16:7 defaulted',
      'propagators-none web.env:2:8 filed',
      'propagators-none web/Dockerfile:5:5 built',
    ],
  );
});

test('Kubernetes: workloads of all kinds, ConfigMaps, several documents', () => {
  const pod = (env: string) => `
    spec:
      containers:
        - name: app
          image: a
          ${env}
`;
  assert.deepEqual(
    find({
      'k8s/all.yaml': `apiVersion: v1
kind: ConfigMap
metadata: { name: otel }
data:
  OTEL_PROPAGATORS: none
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: orders }
spec:
  template:${pod('envFrom: [{ configMapRef: { name: otel } }]')}
---
kind: CronJob
metadata: { name: nightly }
spec:
  jobTemplate:
    spec:
      template:${pod('env: [{ name: OTEL_PROPAGATORS, value: baggage }]').replaceAll('\n    ', '\n        ')}
---
kind: Pod
metadata: { name: secret }
spec:
  containers:
    - name: app
      env: [{ name: OTEL_PROPAGATORS, valueFrom: { secretKeyRef: { name: a, key: b } } }]
`,
    }),
    ['propagators-none k8s/all.yaml:5:3 orders', 'propagators-none k8s/all.yaml:29:47 nightly'],
  );
});

test('sources: comments are blanked, offsets stay, strings are kept', () => {
  const { text, imports } = readSource({
    path: 'a.ts',
    text: "// require('a')\nconst b = require('b'); /* import 'c' */\nimport { d,\n e } from './d';\nconst url = 'http://x'; import('f');\nimport type { T } from 'g';\nexport * from 'h';\n",
  });
  assert.deepEqual(
    imports.map(({ from, kind }) => [from, kind]),
    [
      ['b', 'require'],
      ['./d', 'import'],
      ['f', 'dynamic'],
      ['h', 'import'],
    ],
  );
  assert.equal(text.indexOf("require('b')"), 26);
  assert.ok(text.includes("'http://x'"));
  assert.ok(!text.includes("import 'c'"));
});

test('nginx: quotes, comments, nesting; other text is refused', () => {
  const read = (text: string) => readNginx({ path: 'nginx.conf', text });
  assert.deepEqual(
    read('a "x y" z; # b;\nc { d \'\'; }')?.map(({ name, words, block }) => [
      name,
      words,
      block?.length ?? null,
    ]),
    [
      ['a', ['x y', 'z'], null],
      ['c', [], 1],
    ],
  );
  for (const text of ['a {', 'a }', 'a', '[ini]\nb=1\n']) assert.equal(read(text), null, text);
});

test('nginx: a block with headers of its own does not inherit any', () => {
  const config = (inner: string) =>
    `server { proxy_pass_request_headers off; proxy_set_header traceparent $http_traceparent; location / { ${inner} proxy_pass http://a; } }`;
  assert.deepEqual(find({ 'nginx.conf': config('') }), []);
  assert.deepEqual(
    find({
      'nginx.conf':
        'server { proxy_set_header traceparent $t; location / { proxy_set_header Host $host; proxy_pass_request_headers off; } }',
    }),
    ['nginx-drops-headers nginx.conf:1:85 null'],
  );
});

test('gRPC that only exports spans needs no instrumentation and no hook', () => {
  const program = (imports: string) => ({
    'package.json': JSON.stringify({
      type: 'module',
      scripts: { start: 'node --import ./tracing.js server.js' },
      dependencies: { '@grpc/grpc-js': '1', '@opentelemetry/sdk-node': '0.300.0' },
    }),
    'tracing.js':
      "import { NodeSDK } from '@opentelemetry/sdk-node';\nnew NodeSDK({ instrumentations: [] }).start();\n",
    'server.js': `${imports}import { credentials } from '@grpc/grpc-js';\n`,
    'README.js': 'import "@opentelemetry/instrumentation-http";\n',
  });
  const exporter = "import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';\n";
  assert.deepEqual(find(program(exporter)), []);
  assert.deepEqual(find(program('')), [
    'node-esm-without-hook server.js:1:1 null',
    'node-client-not-instrumented server.js:1:1 null',
  ]);
});

test('Envoy that makes spans may inject the header after it has removed it: reported as a note', () => {
  const config = (tracing: string) =>
    `http_connection_manager:\n${tracing}  route_config:\n    request_headers_to_remove: [traceparent]\n`;
  const severities = (text: string) =>
    examine([{ path: 'envoy.yaml', text }]).findings.map(({ severity }) => severity);
  assert.deepEqual(severities(config('')), ['error']);
  assert.deepEqual(severities(config('  tracing: { provider: { name: envoy.tracers.opentelemetry } }\n')), [
    'note',
  ]);
});

test('YAML with aliases that multiply is read quickly', () => {
  const bomb = Array.from(
    { length: 30 },
    (_, level) => `a${level}: &a${level} [*a${level - 1}, *a${level - 1}]`,
  );
  const text = ['a: &a-1 [x]', ...bomb, 'request_headers_to_remove: [traceparent]'].join('\n');
  assert.equal(examine([{ path: 'envoy.yaml', text }]).findings.length, 1);
});

test('maps that merge each other are read up to a limit', () => {
  const chain = (length: number) => {
    const maps = Array.from({ length }, (_, at) => `m${at + 1}: &m${at + 1} { <<: *m${at} }`);
    const services = `services: { web: { image: a, environment: *m${length} } }`;
    return find({ 'compose.yaml': ['m0: &m0 { OTEL_PROPAGATORS: none }', ...maps, services].join('\n') });
  };
  assert.equal(chain(20).length, 1);
  assert.deepEqual(chain(10_000), []);
});

test('an alias refers to the last anchor of its name', () => {
  const text =
    'x: &o { OTEL_PROPAGATORS: none }\ny: &o { OTEL_PROPAGATORS: b3 }\nservices: { a: { image: a, environment: *o } }\n';
  assert.deepEqual(find({ 'compose.yaml': text }), []);
  const aliases = Array.from({ length: 20_000 }, () => '*o').join(', ');
  assert.deepEqual(find({ 'compose.yaml': `${text}z: [${aliases}]\n` }), []);
});

test('the SDK is late only for modules that are loaded before it', () => {
  const program = (server: string, app = '') =>
    find({
      'app.js': app,
      'package.json': JSON.stringify({
        scripts: { start: 'node server.js' },
        dependencies: {
          kafkajs: '2',
          '@opentelemetry/auto-instrumentations-node': '1',
          '@opentelemetry/sdk-node': '1',
        },
      }),
      'server.js': server,
    });
  const setup =
    "const { NodeSDK } = require('@opentelemetry/sdk-node');\nnew NodeSDK({ instrumentations: list() }).start();\n";
  const client = "const { Kafka } = require('kafkajs');\n";
  assert.deepEqual(program(setup + client), []);
  assert.deepEqual(program(`function connect() {\n  ${client}}\n${setup}`), []);
  assert.deepEqual(program(`${setup}require('./app');\n`, client), []);
  assert.deepEqual(program(`require('./app');\n${setup}`, client), ['node-sdk-late app.js:1:19 null']);
  assert.deepEqual(program(client + setup), ['node-sdk-late server.js:1:19 null']);
});

test('the kind of a file is known by its name', () => {
  const kinds = {
    nginx: [
      'nginx.conf',
      'a/nginx.dev.conf.template',
      'nginx/web/app.conf',
      'conf.d/a.conf',
      'default.conf.template',
    ],
    dockerfile: ['Dockerfile', 'Dockerfile.dev', 'web.Dockerfile', 'Containerfile'],
    env: ['.env', '.env.local', 'otel.env'],
    lock: ['package-lock.json', 'a/yarn.lock'],
    installed: ['node_modules/@opentelemetry/api/package.json'],
    source: ['a.ts', 'b.mjs', 'c.cts'],
    requirements: ['requirements-dev.txt', 'requirements/base.txt', 'pyproject.toml'],
  };
  for (const [kind, paths] of Object.entries(kinds))
    for (const path of paths) assert.equal(kindOf(path), kind, path);
  for (const path of ['app.conf', 'a.d.ts', 'main_test.go', 'README.md', 'environment.ts.md'])
    assert.equal(kindOf(path), null, path);
});
