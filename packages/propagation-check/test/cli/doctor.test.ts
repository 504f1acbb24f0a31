import assert from 'node:assert/strict';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { test } from 'node:test';
import { executeCli, makeFolder } from './run-cli.ts';

const none = 'services:\n  web:\n    image: web\n    environment:\n      OTEL_PROPAGATORS: none\n';
const healthy = none.replace('none', 'tracecontext');

test('doctor: exit code 1 for an error; without findings 0, and a summary of what was read', async (t) => {
  const broken = await executeCli('doctor', await makeFolder(t, { 'compose.yaml': none }));
  assert.equal(broken.code, 1);
  assert.match(broken.stdout, /^BROKEN {2}1 error \(read 1 YAML file; \d+ checks\)/);
  assert.match(broken.stdout, /compose\.yaml:5:7/);
  const clean = await executeCli('doctor', await makeFolder(t, { 'compose.yaml': healthy }));
  assert.deepEqual([clean.code, clean.stderr], [0, '']);
  assert.match(clean.stdout, /^CLEAN {2}nothing found \(read 1 YAML file; \d+ checks\)\n$/);
});

test('doctor: without anything to check exit code 2 and the reason', async (t) => {
  const empty = await executeCli('doctor', await makeFolder(t));
  assert.equal(empty.code, 2);
  assert.match(empty.stdout, /^CANNOT TELL {2}found no package\.json.* name the folder of a project/s);
  const other = await executeCli('doctor', await makeFolder(t, { 'package.json': '{"name":"x"}' }));
  assert.equal(other.code, 2);
  assert.match(other.stdout, /^CANNOT TELL {2}nothing in these files names OpenTelemetry/);
});

test('doctor: a path that is not a folder is an error of one line', async (t) => {
  const folder = await makeFolder(t, { 'compose.yaml': none });
  for (const [path, error] of [
    [join(folder, 'missing'), /missing: no such folder\n$/],
    [join(folder, 'compose.yaml'), /compose\.yaml: a file; name the folder of a project\n$/],
  ] as const) {
    const { code, stdout, stderr } = await executeCli('doctor', path);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, error);
  }
});

test('doctor: reports are written, several at once, and a wrong name is refused', async (t) => {
  const folder = await makeFolder(t, { 'compose.yaml': none });
  const [sarif, json] = [join(folder, 'out.sarif'), join(folder, 'out.json')];
  const { code, stdout } = await executeCli(
    'doctor',
    folder,
    '--report',
    `sarif=${sarif}`,
    '--report',
    `json=${json}`,
  );
  assert.equal(code, 1);
  assert.match(stdout, /^BROKEN/);
  assert.equal(JSON.parse(await readFile(sarif, 'utf8')).version, '2.1.0');
  assert.equal(JSON.parse(await readFile(json, 'utf8')).verdict, 'broken');
  const missing = await executeCli('doctor', join(folder, 'missing'), '--report', `json=${json}`);
  assert.equal(missing.code, 2);
  const { verdict, reason } = JSON.parse(await readFile(json, 'utf8'));
  assert.deepEqual([verdict, /missing: no such folder$/.test(reason)], ['unknown', true]);
  const wrong = await executeCli('doctor', folder, '--report', 'html');
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /--report "html": expected terminal, json, sarif, github, or NAME=FILE$/m);
});

test('doctor: tests, built files and links are left out; installed OpenTelemetry packages are read', async (t) => {
  const folder = await makeFolder(t, { 'compose.yaml': healthy });
  for (const below of ['test', 'dist', '.git', 'vendor', 'node_modules/@opentelemetry/api']) {
    await mkdir(join(folder, below), { recursive: true });
    await writeFile(join(folder, below, 'compose.yaml'), none);
  }
  await writeFile(join(folder, 'node_modules/@opentelemetry/api/package.json'), '{"version":"1.9.0"}');
  await symlink(join(folder, 'test'), join(folder, 'linked'));
  const { code, stdout } = await executeCli('doctor', folder);
  assert.equal(code, 0);
  assert.match(stdout, /read 1 installed OpenTelemetry package, 1 YAML file;/);
});

test('doctor: a comment accepts a finding of one check, and the headline counts it', async (t) => {
  const accept = (id: string) => `${none.trimEnd()} # propagation-check-ignore ${id}\n`;
  const folder = await makeFolder(t, { 'compose.yaml': accept('propagators-none') });
  const { code, stdout } = await executeCli('doctor', folder);
  assert.equal(code, 0);
  assert.match(stdout, /^CLEAN {2}nothing found, 1 accepted \(/);
  await writeFile(join(folder, 'compose.yaml'), accept('propagators-unknown'));
  assert.equal((await executeCli('doctor', folder)).code, 1);
});

test('doctor: a file that is not YAML is named, and the others are read', async (t) => {
  const folder = await makeFolder(t, {
    'compose.yaml': none,
    'deployment.yaml': 'a: {{ .Values.b }}\n  c: [\n',
  });
  const { code, stdout } = await executeCli('doctor', folder);
  assert.equal(code, 1);
  assert.match(stdout, /not read: deployment\.yaml:2:1 \(a template, a syntax error, or another version\)/);
});

test('doctor: paths of findings are relative to the working directory', async () => {
  const folder = new URL('../doctor/fixtures/propagators-none/broken', import.meta.url).pathname;
  const { stdout } = await executeCli('doctor', folder, '--report', 'github');
  const path = relative(process.cwd(), folder).split(sep).join('/');
  assert.ok(stdout.includes(`::error file=${path}/`), stdout);
});

test('doctor: a project with a syntax error in its Compose file is not clean', async (t) => {
  const folder = await makeFolder(t, {
    'docker-compose.yml': 'services:\n  web: { environment: { OTEL_SERVICE_NAME: web } }\n',
    'compose.prod.yaml': 'services:\n  web: [\n',
  });
  const { code, stdout } = await executeCli('doctor', folder);
  assert.equal(code, 2);
  assert.match(stdout, /^CANNOT TELL {2}compose\.prod\.yaml:3:1 cannot be parsed/);
});

test('explain prints the section of a check of doctor', async () => {
  const { code, stdout } = await executeCli('explain', 'propagators-none');
  assert.equal(code, 0);
  assert.match(stdout, /^# propagators-none\n\n\*\*OTEL_PROPAGATORS names no trace format/);
});

test('--project ranks a candidate higher that its files support; a missing folder is refused', async (t) => {
  const span = (trace: string, id: string, service: string, kind: number, parent = '') => ({
    resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
    scopeSpans: [
      {
        spans: [
          {
            ...{ traceId: trace.repeat(32), spanId: id.repeat(16), parentSpanId: parent.repeat(16), kind },
            ...{
              name: 'GET',
              startTimeUnixNano: `100000000${id}000000`,
              endTimeUnixNano: `100000001${9 - Number(id)}000000`,
            },
            attributes: [
              { key: 'http.request.method', value: { stringValue: 'GET' } },
              {
                key: kind === 3 ? 'url.full' : 'url.path',
                value: { stringValue: kind === 3 ? 'http://orders:80/a' : '/a' },
              },
            ],
          },
        ],
      },
    ],
  });
  const resourceSpans = [
    span('a', '1', 'web', 2),
    span('a', '2', 'web', 3, '1'),
    span('b', '3', 'orders', 2),
  ];
  const folder = await makeFolder(t, {
    'trace.json': JSON.stringify({ resourceSpans }),
    'nginx.conf': 'location / {\n  proxy_set_header traceparent "";\n}\n',
  });
  const check = (...more: readonly string[]) => executeCli('file', join(folder, 'trace.json'), ...more);
  assert.match((await check()).stdout, /may be +1\. header-not-sent/);
  const page = join(folder, 'report.html');
  const { stdout } = await check('--project', folder, '--report', `html=${page}`);
  assert.match(await readFile(page, 'utf8'), /<code>\S+nginx\.conf:2<\/code> proxy_set_header traceparent/);
  assert.match(stdout, /may be +1\. header-stripped/);
  assert.match(stdout, /files +\S+nginx\.conf:2:3\s+proxy_set_header traceparent ""/);
  const service = (name: string, formats: string) =>
    `  ${name}:\n    image: example/${name}:1.0.0\n    environment:\n      OTEL_SERVICE_NAME: ${name}\n${formats}`;
  const b3 = '      OTEL_PROPAGATORS: b3\n';
  for (const [services, first] of [
    // W3C Trace Context is the default of an SDK.
    [service('web', b3) + service('orders', ''), 'format-mismatch'],
    [service('web', '') + service('orders', b3), 'format-mismatch'],
    // A third service with another format has no part in the call.
    [service('web', b3) + service('orders', b3) + service('stock', ''), 'header-not-sent'],
  ] as const) {
    const compose = await makeFolder(t, { 'compose.yaml': `services:\n${services}` });
    assert.match((await check('--project', compose)).stdout, new RegExp(`may be +1\\. ${first}`), services);
  }
  const missing = await check('--project', join(folder, 'missing'));
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /--project \S+missing: no such folder\n$/);
});
