import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { gzipSync } from 'node:zlib';
import { metricsRequest } from '../decode/encode-other-signals.ts';
import { brokenCapture, healthyCapture, readCapture } from './captures.ts';
import { type CliResult, executeCli, linkNowhere, makeFolder, runCli, spawnCli } from './run-cli.ts';

test('a healthy file is intact, a broken one is broken', async (t) => {
  const folder = await makeFolder(t, {
    healthy: readCapture(healthyCapture),
    broken: readCapture(brokenCapture),
  });
  const healthy = await executeCli('file', join(folder, 'healthy'));
  assert.deepEqual([healthy.code, healthy.stderr], [0, '']);
  assert.match(healthy.stdout, /^INTACT {2}\d+ edges?, /);
  const broken = await executeCli('file', join(folder, 'broken'));
  assert.deepEqual([broken.code, broken.stderr], [1, '']);
  assert.match(broken.stdout, /^BROKEN {2}1 of 1 edge, 6 of 6 calls/);
  assert.match(broken.stdout, /✗ a → b {2}http {2}broken 6 of 6\n/);
  const both = await executeCli('file', join(folder, 'healthy'), join(folder, 'broken'));
  assert.equal(both.code, 1);
});

test('--explain says why nothing is reported for a loose end', async (t) => {
  const span = {
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    spanId: '00f067aa0ba902b7',
    name: 'GET',
    kind: 3,
    startTimeUnixNano: '1700000000000000000',
    endTimeUnixNano: '1700000000050000000',
    attributes: [{ key: 'url.full', value: { stringValue: 'http://orders/work' } }],
  };
  const folder = await makeFolder(t, {
    spans: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
  });
  const { code, stdout } = await executeCli('file', join(folder, 'spans'), '--explain');
  assert.equal(code, 2);
  assert.match(stdout, /\n\nNot reported, because a condition does not hold:\n· CLIENT /);
  assert.match(
    stdout.replaceAll(/\n +/g, ' '),
    /- not judged: no SERVER span of orders:80 is here.* - split-trace needs: another side is there; here: no SERVER span began/,
  );
  const report = JSON.parse((await executeCli('file', join(folder, 'spans'), '--explain', '--json')).stdout);
  assert.deepEqual(Object.keys(report.explain[0]), [
    'traceId',
    'spanId',
    'service',
    'kind',
    'name',
    'reasons',
    'unjudged',
  ]);
  assert.ok(!('explain' in JSON.parse((await executeCli('file', join(folder, 'spans'), '--json')).stdout)));
});

test('several reports: the one for people is printed, the others are written', async (t) => {
  const folder = await makeFolder(t, { spans: readCapture(brokenCapture) });
  const path = join(folder, 'spans');
  const [json, html] = [join(folder, 'out.json'), join(folder, 'out.html')];
  const { code, stdout, stderr } = await executeCli(
    ...['file', path, '--report', `json=${json}`, '--report', `html=${html}`],
  );
  assert.deepEqual([code, stderr], [1, '']);
  assert.equal(stdout, (await executeCli('file', path)).stdout);
  assert.equal(readFileSync(json, 'utf8'), (await executeCli('file', path, '--json')).stdout);
  assert.match(readFileSync(html, 'utf8'), /<h1 class="error">BROKEN<.*runPage/s);
});

test('a report that cannot be written fails the check after the others are written', async (t) => {
  const folder = await makeFolder(t, { spans: readCapture(brokenCapture) });
  const path = join(folder, 'spans');
  const { code, stdout, stderr } = await executeCli(
    'file',
    path,
    '--report',
    `json=${await linkNowhere(folder)}`,
  );
  assert.equal(code, 2);
  assert.match(stdout, /^BROKEN/);
  assert.match(stderr, /^propagation-check: --report json: .* cannot be written: /);
});

test('JSON is the result with its details', async (t) => {
  const folder = await makeFolder(t, { spans: readCapture(brokenCapture) });
  const path = join(folder, 'spans');
  const { code, stdout } = await executeCli('file', path, '--json');
  assert.equal(code, 1);
  assert.equal(stdout, (await executeCli('file', path, '--report', 'json')).stdout);
  const report = JSON.parse(stdout);
  assert.deepEqual(Object.keys(report), [
    'version',
    'verdict',
    'traces',
    'spans',
    'edges',
    'findings',
    'source',
    'reason',
    'notes',
    'collector',
  ]);
  assert.deepEqual(
    [report.version, report.verdict, report.source, report.reason, report.collector],
    [1, 'broken', path, null, null],
  );
});

test('an edge that is expected twice counts once, and an edge cannot be both expected and forbidden', async (t) => {
  const folder = await makeFolder(t, {
    spans: readCapture(healthyCapture),
    again: 'edges:\n  must:\n    - a -> c\n',
    never: 'edges:\n  must-not:\n    - a -> c\n',
  });
  const check = (expectations: string) => {
    const file = join(folder, expectations);
    return executeCli('file', join(folder, 'spans'), '--expect', 'a -> c', '--expectations', file, '--json');
  };
  const once = await executeCli('file', join(folder, 'spans'), '--expect', 'a -> c', '--json');
  assert.equal(once.code, 2);
  assert.deepEqual(JSON.parse((await check('again')).stdout), JSON.parse(once.stdout));
  const both = await check('never');
  assert.equal(both.code, 2);
  assert.match(both.stderr, /--expect "a -> c": \S*never forbids it under must-not; name it once/);
});

test('an expected service without a span may have another name', async (t) => {
  const folder = await makeFolder(t, { spans: readCapture(healthyCapture) });
  const open = await executeCli('file', join(folder, 'spans'), '--expect', 'a -> orders');
  assert.equal(open.code, 2);
  assert.match(
    open.stdout.replace(/\s+/g, ' '),
    /^CANNOT TELL a -> orders: no span of orders is here, only of a, b: check the name \(service\.name\)/,
  );
  const { code, stdout } = await executeCli('file', join(folder, 'spans'), '--expect', 'a -> b -> orders');
  assert.equal(code, 1);
  assert.match(
    stdout.replace(/\s+/g, ' '),
    /note no span of orders is here, only of a, b: check the names \(service\.name\)/,
  );
});

test('an expected service whose name is misspelt', async (t) => {
  const spans = readCapture(healthyCapture)
    .toString()
    .replaceAll('"stringValue":"a"', '"stringValue":"web-shop"');
  const folder = await makeFolder(t, { spans });
  const { stdout } = await executeCli('file', join(folder, 'spans'), '--expect', 'Web-shp -> b');
  assert.match(
    stdout.replace(/\s+/g, ' '),
    /CANNOT TELL Web-shp -> b: no span of Web-shp is here: did you mean web-shop instead of Web-shp\?/,
  );
});

test('a file without spans gives no verdict', async (t) => {
  const folder = await makeFolder(t, { none: '{"resourceSpans":[]}' });
  const path = join(folder, 'none');
  const { code, stdout, stderr } = await executeCli('file', path);
  assert.deepEqual([code, stderr], [2, '']);
  const reason = `${path}: no span in it; give a file with traces, such as the file exporter of a Collector writes in a pipeline of traces ({"resourceSpans": […]})`;
  assert.equal(stdout.replace(/\s+/g, ' '), `CANNOT TELL ${reason} `);
  assert.equal(JSON.parse((await executeCli('file', path, '--json')).stdout).reason, reason);
});

for (const [content, held] of [
  ['{"resourceMetrics":[{"resource":{},"scopeMetrics":[]}]}', 'it holds metrics; '],
  ['{"resourceLogs":[]}\n{"resourceLogs":[]}', 'it holds logs; '],
  ['{"resourceLogs":[]}\n{"resourceMetrics":[]}', 'it holds metrics and logs; '],
  ['[]', ''],
] as const) {
  test(`the message on a file without spans names its content: ${content}`, async (t) => {
    const path = join(await makeFolder(t, { other: content }), 'other');
    const { code, stdout } = await executeCli('file', path, '--json');
    assert.equal(code, 2);
    const { reason } = JSON.parse(stdout);
    assert.ok(reason.startsWith(`${path}: no span in it; ${held}give a file with traces, `), reason);
  });
}

test('each command names the content of standard input, gzip and protobuf without spans', async (t) => {
  const metrics = '{"resourceMetrics":[]}';
  const folder = await makeFolder(t);
  const packed = join(folder, 'metrics.json.gz');
  await writeFile(packed, gzipSync(metrics));
  const binary = join(folder, 'metrics.pb');
  await writeFile(binary, metricsRequest);
  const reasonOf = ({ code, stdout }: CliResult) => {
    assert.equal(code, 2);
    return JSON.parse(stdout).reason;
  };
  const says = (source: string) =>
    `${source}: no span in it; it holds metrics; give a file with traces, such as the file exporter of a Collector writes in a pipeline of traces ({"resourceSpans": […]})`;
  const piped = await runCli(t, ['file', '-', '--json'], { input: metrics });
  assert.equal(reasonOf(piped), says('standard input'));
  for (const path of [packed, binary]) {
    const source = `file=${path}`;
    assert.equal(reasonOf(await executeCli('file', path, '--json')), says(path));
    assert.equal(reasonOf(await executeCli('audit', path, '--json')), says(path));
    assert.equal(
      reasonOf(await executeCli('audit', '--source', source, '--since', '1h', '--json')),
      says(path),
    );
    for (const asked of [['--service', 'web'], ['a'.repeat(32)]])
      assert.equal(reasonOf(await executeCli('trace', ...asked, '--source', source, '--json')), says(source));
  }
});

test('a file of logs fails an expectation, and a note says that it has no spans', async (t) => {
  const folder = await makeFolder(t, { logs: '{"resourceLogs":[]}' });
  const path = join(folder, 'logs');
  const { code, stdout } = await executeCli('file', path, '--expect', 'web -> orders');
  assert.equal(code, 1);
  assert.match(stdout.replace(/\s+/g, ' '), /note [^✗]*logs: no span in it/);
});

test('spans without any edge are not intact, unless an expectation excludes edges', async (t) => {
  const server = (service: string, traceId: string) => ({
    resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
    scopeSpans: [{ spans: [{ traceId, spanId: 'a'.repeat(16), name: 'GET /', kind: 2 }] }],
  });
  const folder = await makeFolder(t, {
    spans: JSON.stringify({
      resourceSpans: [server('web', 'a'.repeat(32)), server('orders', 'b'.repeat(32))],
    }),
    'forbidden.yaml': 'edges:\n  must-not: [web -> orders]\n',
    'absent.yaml': 'edges:\n  must-not: [other -> orders]\n',
    'allowed.yaml': 'edges:\n  may: [web -> orders]\n',
  });
  const path = join(folder, 'spans');
  const { code, stdout, stderr } = await executeCli('file', path);
  assert.deepEqual([code, stderr], [2, '']);
  assert.match(
    stdout.replace(/\s+/g, ' '),
    /^CANNOT TELL no call between two services was seen, only spans of orders, web \(2 traces, 2 spans\); .*--expect "CALLER -> CALLED"/,
  );
  const verdicts = ['forbidden', 'absent', 'allowed'].map(async (name) => {
    const file = join(folder, `${name}.yaml`);
    const { verdict, reason } = JSON.parse(
      (await executeCli('file', path, '--json', '--expectations', file)).stdout,
    );
    return [name, verdict, reason === null];
  });
  assert.deepEqual(await Promise.all(verdicts), [
    ['forbidden', 'intact', true],
    ['absent', 'unknown', false],
    ['allowed', 'unknown', false],
  ]);
});

test('a call to a peer without spans cannot be judged', async (t) => {
  const spans = JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'web' } }] },
        scopeSpans: [
          {
            spans: [
              {
                ...{ traceId: 'a'.repeat(32), spanId: 'a'.repeat(16), name: 'GET', kind: 3 },
                attributes: [{ key: 'url.full', value: { stringValue: 'http://orders/' } }],
              },
            ],
          },
        ],
      },
    ],
  });
  const { code, stdout } = await runCli(t, ['file', '-'], { input: spans });
  assert.equal(code, 2);
  assert.match(
    stdout.replace(/\s+/g, ' '),
    /^CANNOT TELL .*; not judged: web → orders:80 \(1 call\): .*--expect "web -> orders"/,
  );
});

test('an expected edge that is missing is broken, from an argument and from a file', async (t) => {
  const folder = await makeFolder(t, {
    spans: readCapture(healthyCapture),
    'expectations.yaml': 'edges:\n  must: [a -> b -> nowhere]\n',
  });
  const path = join(folder, 'spans');
  for (const args of [
    ['--expect', 'a -> b -> nowhere'],
    ['--expectations', join(folder, 'expectations.yaml')],
  ]) {
    const { code, stdout } = await executeCli('file', path, ...args);
    assert.equal(code, 1);
    assert.match(stdout, /✗ b → nowhere/);
  }
});

test('the record of a tap decides the cause', async (t) => {
  const at = (ms: number) => `${1_770_000_000_000_000_000n + BigInt(ms) * 1_000_000n}`;
  const call = { traceId: 'a'.repeat(32), spanId: 'a'.repeat(16) };
  const service = (name: string, span: object) => ({
    resource: { attributes: [{ key: 'service.name', value: { stringValue: name } }] },
    scopeSpans: [{ spans: [span] }],
  });
  const attribute = (key: string, value: string) => ({ key, value: { stringValue: value } });
  const spans = JSON.stringify({
    resourceSpans: [
      service('web', {
        ...call,
        name: 'GET',
        kind: 3,
        startTimeUnixNano: at(0),
        endTimeUnixNano: at(50),
        attributes: [
          attribute('http.request.method', 'GET'),
          attribute('url.full', 'http://orders:8082/work'),
          { key: 'http.response.status_code', value: { intValue: 200 } },
        ],
      }),
      service('orders', {
        traceId: 'b'.repeat(32),
        spanId: 'b'.repeat(16),
        name: 'GET /work',
        kind: 2,
        startTimeUnixNano: at(10),
        endTimeUnixNano: at(40),
        attributes: [attribute('http.request.method', 'GET'), attribute('url.path', '/work')],
      }),
    ],
  });
  const traceparent = `00-${call.traceId}-${call.spanId}-01`;
  const record = {
    time: new Date(1_770_000_000_005).toISOString(),
    durationMs: 40,
    tap: 't',
    target: 'http://orders:8082',
    client: null,
    server: null,
    protocolVersion: '1.1',
    method: 'GET',
    path: '/work',
    sent: {
      headers: [{ name: 'traceparent', value: traceparent }],
      contexts: [{ format: 'tracecontext', state: 'valid', ...call, sampled: true }],
      baggage: [],
    },
    received: { headers: [], contexts: [], baggage: [] },
    faults: ['strip'],
    status: 200,
    clientAborted: false,
    targetError: null,
  };
  // The last line is still being written.
  const wire = `${JSON.stringify(record)}\n${JSON.stringify(record).slice(0, 50)}`;
  const folder = await makeFolder(t, { spans, wire });
  const path = join(folder, 'spans');
  const ids = async (...args: readonly string[]) =>
    JSON.parse((await executeCli('file', path, '--json', ...args)).stdout).findings.map(
      (finding: { id: string }) => finding.id,
    );
  assert.deepEqual(await ids(), ['split-trace']);
  assert.deepEqual(await ids('--wire', join(folder, 'wire')), ['header-stripped']);
  const { notes } = JSON.parse(
    (await executeCli('file', path, '--json', '--wire', join(folder, 'wire'))).stdout,
  );
  assert.doesNotMatch(notes.join(), /no request in it/);
});

test('other content of a file is noted', async (t) => {
  const spans = Buffer.from(readCapture(healthyCapture)).toString();
  const folder = await makeFolder(t, { spans: `listening\n${spans}` });
  const { code, stdout } = await executeCli('file', join(folder, 'spans'), '--json');
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout).notes, [`${join(folder, 'spans')}: lines without a span, left out: 1`]);
});

test('standard input, width and colour', async (t) => {
  const input = readCapture(brokenCapture);
  const narrow = await runCli(t, ['file', '-'], {
    input,
    env: { COLUMNS: '60', FORCE_COLOR: '1', NO_COLOR: '1' },
  });
  assert.equal(narrow.code, 1);
  assert.ok(narrow.stdout.startsWith('\u001b[31mBROKEN'));
  const plain = stripVTControlCharacters(narrow.stdout);
  assert.ok(
    // A command that is broken into lines cannot be pasted.
    plain.split('\n').every((line) => line.length <= 60 || / propagation-check tap /.test(line)),
    plain,
  );
  const wide = await runCli(t, ['file', '-'], { input });
  assert.ok(!wide.stdout.includes('\u001b'));
  assert.ok(wide.stdout.split('\n').some((line) => line.length > 60));
});

test('a closed pipe is not an error', async (t) => {
  const folder = await makeFolder(t, { spans: readCapture(brokenCapture) });
  const child = spawnCli(t, ['file', join(folder, 'spans'), '--json']);
  child.stdout.destroy();
  const stderr = text(child.stderr);
  const [code] = await once(child, 'close');
  assert.deepEqual([code, await stderr], [1, '']);
});

test('a result that cannot be printed is an error', { skip: !existsSync('/dev/full') }, async (t) => {
  const folder = await makeFolder(t, { 'spans.jsonl': readCapture(healthyCapture) });
  const entry = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
  const full = openSync('/dev/full', 'w');
  t.after(() => closeSync(full));
  const { status, stderr } = spawnSync(process.execPath, [entry, 'file', join(folder, 'spans.jsonl')], {
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  });
  assert.match(
    stderr,
    /^propagation-check: standard output cannot be written: no space is left there[^\n]*\n$/,
  );
  assert.equal(status, 2);
});

test('help and version go to standard output', async () => {
  for (const args of [
    ['--help'],
    ['run', '--help'],
    ['trace', '--help'],
    ['file', '--help'],
    ['tap', '--help'],
  ]) {
    const { code, stdout, stderr } = await executeCli(...args);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /Examples:\n {2}\$ propagation-check /);
  }
  const { code, stdout } = await executeCli('--version');
  assert.equal(code, 0);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});

test('without a command the help goes to standard error', async () => {
  const { code, stdout, stderr } = await executeCli();
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /^Usage: propagation-check/);
});

test('files of a tap that are empty, truncated or of another run are noted', async (t) => {
  const record = wireRecord();
  const folder = await makeFolder(t, {
    spans: readCapture(healthyCapture),
    empty: '\n',
    cut: `${record}\n${record.slice(0, 50)}`,
    whole: record,
    own: JSON.stringify({ ...JSON.parse(record), sent: ownContext, received: ownContext }),
  });
  const wire = ['empty', 'cut', 'whole', 'own'].flatMap((name) => ['--wire', join(folder, name)]);
  const { code, stdout } = await executeCli('file', join(folder, 'spans'), ...wire, '--json');
  assert.equal(code, 0);
  const foreign =
    'none of its requests belongs to these traces (the first is of 2020-01-01T00:00:00.000Z, the spans begin at ';
  const notes = JSON.parse(stdout).notes.map((note: string) => note.replace(/(begin at ).*/, '$1'));
  assert.deepEqual(notes, [
    `--wire ${join(folder, 'empty')}: empty; did the requests go through the tap?`,
    `--wire ${join(folder, 'cut')}: the last line is cut off and left out; the tap is still writing it, or was killed`,
    `--wire ${join(folder, 'cut')}: ${foreign}`,
    `--wire ${join(folder, 'whole')}: ${foreign}`,
    `--wire ${join(folder, 'own')}: its only request is your own, with the traceparent of a step "to decide", and it shows no call of a service; send requests that make the services call each other through the tap`,
  ]);
});

const ownContext = {
  headers: [{ name: 'traceparent', value: '00-4bf92f3577b34da6a3ce929d0e0e4736-7e577e577e577e57-01' }],
  contexts: [
    {
      format: 'tracecontext',
      state: 'valid',
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      spanId: '7e577e577e577e57',
      sampled: true,
    },
  ],
  baggage: [],
};

/** The record of a request that has nothing to do with the capture, as the tap writes it. */
function wireRecord(): string {
  return JSON.stringify({
    time: '2020-01-01T00:00:00.000Z',
    durationMs: 1,
    tap: '127.0.0.1:8083',
    target: 'http://127.0.0.1:8082',
    client: null,
    server: null,
    protocolVersion: '1.1',
    method: 'GET',
    path: '/',
    sent: { headers: [], contexts: [], baggage: [] },
    received: null,
    faults: [],
    status: null,
    answered: null,
    clientAborted: true,
    targetError: null,
  });
}
