import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { rootCertificates } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { encodeOtlpProtobuf } from '../../src/decode/encode-otlp-protobuf.ts';
import { decodeJsonLines } from '../../src/decode/json-lines.ts';
import { encodeOtlpLines } from '../../src/span/encode-otlp-lines.ts';
import { executeCli, makeFolder } from '../cli/run-cli.ts';
import { encodeSpan, type StoredSpan } from '../cli/trace-store.ts';
import { readFixtureDrawing } from '../engine/read-fixture-drawing.ts';
import { makeTraffic } from './make-traffic.ts';

const hour = 3_600_000;
const from = Date.parse('2026-11-28T20:00:00Z');

function toJson(spans: readonly StoredSpan[]): string {
  return `${JSON.stringify({ resourceSpans: spans.map(encodeSpan) })}\n`;
}

function toProtobuf(spans: readonly StoredSpan[]): Uint8Array {
  return encodeOtlpProtobuf(decodeJsonLines(Buffer.from(toJson(spans))));
}

async function writeFiles(
  folder: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

/** A folder with names as the Collector's awss3 exporter gives its objects. */
async function makeDump(t: TestContext): Promise<string> {
  const folder = await makeFolder(t);
  const traffic = makeTraffic({ from, calls: 40, brokenEvery: 10 });
  const later = makeTraffic({ from: from + hour, calls: 60 });
  await writeFiles(folder, {
    'year=2026/month=11/day=28/hour=20/minute=00/traces_1.json': toJson(traffic.slice(0, 60)),
    'year=2026/month=11/day=28/hour=20/minute=00/traces_2.json.gz': gzipSync(toJson(traffic.slice(60))),
    'year=2026/month=11/day=28/hour=21/minute=00/traces_3.binpb': toProtobuf(later.slice(0, 90)),
    'year=2026/month=11/day=28/hour=21/minute=00/traces_4.binpb.gz': gzipSync(toProtobuf(later.slice(90))),
    'year=2026/month=11/day=28/hour=21/minute=00/metrics_5.json': '{"resourceMetrics":[]}\n',
    'year=2026/month=11/day=28/hour=21/minute=00/traces_6.json': '',
    _SUCCESS: 'done',
    '.traces_7.json.crc': 'sum',
  });
  return folder;
}

suite('an audit of files', () => {
  test('reads a folder of JSON, protobuf and gzip, and leaves out other signals', async (t) => {
    const folder = await makeDump(t);
    const { code, stdout, stderr } = await executeCli('audit', folder, '--json');
    assert.equal(code, 1, stderr);
    const { edges, window, before } = JSON.parse(stdout);
    assert.deepEqual([edges.length, edges[0].calls, edges[0].broken], [1, 100, 4]);
    assert.deepEqual([window.from, window.to, window.traces, before], [null, null, 104, null]);
  });

  test('accepts patterns and several paths, and reads each file once', async (t) => {
    const folder = await makeDump(t);
    const pattern = join(folder, 'year=2026/**/hour=20/**/traces_*');
    const named = join(folder, 'year=2026/month=11/day=28/hour=20/minute=00/traces_1.json');
    const { stdout } = await executeCli('audit', pattern, named, '--json');
    assert.deepEqual(JSON.parse(stdout).edges[0].calls, 40);
    const { stdout: bySource } = await executeCli('audit', '--source', `file=${folder}`, '--json');
    assert.deepEqual(JSON.parse(bySource).edges[0].calls, 100);
  });

  test('has a window that ends with the newest trace, or at --until', async (t) => {
    const folder = await makeDump(t);
    const { code, stdout } = await executeCli('audit', folder, '--since', '1h', '--json');
    const { edges, window, before } = JSON.parse(stdout);
    assert.deepEqual(
      [code, window.to, edges[0].calls, edges[0].broken],
      [0, '2026-11-28T21:00:59.001Z', 60, 0],
    );
    assert.deepEqual(
      [before.traces, edges[0].trend.before.intact, edges[0].trend.change],
      [44, 36, 'unproven'],
    );
    const until = ['--since', '30m', '--until', '2026-11-28T20:30:00Z'];
    const { stdout: earlier } = await executeCli('audit', folder, ...until, '--json');
    assert.deepEqual(JSON.parse(earlier).edges[0].calls, 40);
  });

  test('reports that everything was read, or which window', async (t) => {
    const folder = await makeDump(t);
    const { stdout } = await executeCli('audit', folder);
    assert.match(
      stdout,
      /^BROKEN {2}1 of 1 edge broken; 4 of 100 calls broken \(everything, 104 traces, 300 spans\s+of/,
    );
    assert.match(stdout, /✗ web → orders {2,}100 {2,}96 % {2}90\.16–98\.44 %\n {4}split-trace 4/);
    const { stdout: windowed } = await executeCli('audit', folder, '--since', '1h');
    assert.match(windowed, /^INTACT .*\(2026-11-28 20:00:59 to 21:00:59 UTC,/);
    assert.match(windowed, /✓ web → orders {2,}60 {2,}100 % {2,}93\.98–100 % {2,}90 % \?\n/);
    assert.match(windowed, /\? no change that the counts prove/);
  });

  test('leaves out empty files, which rotating exporters make, unless all files are empty', async (t) => {
    const folder = await makeDump(t);
    await writeFiles(folder, { 'empty-1.json': '', 'empty-2.json': '' });
    const { code, stdout, stderr } = await executeCli(
      ...['audit', join(folder, '**/traces_*'), '--since', '1h', '--json'],
    );
    assert.deepEqual([code, stderr], [0, '']);
    const { window, before } = JSON.parse(stdout);
    assert.match(window.seen.says, /^left out, because no spans are in them: .*traces_6\.json: empty$/);
    assert.equal(before.traces, 44);
    const nothing = await executeCli('audit', join(folder, 'empty-*.json'));
    assert.deepEqual([nothing.code, nothing.stdout], [2, '']);
    assert.match(nothing.stderr, /no file of spans: .*empty-1\.json: empty; .*empty-2\.json: empty$/m);
  });

  test('leaves out files of a project by their names, unless there are no others', async (t) => {
    const folder = await makeDump(t);
    const project = {
      ...{ LICENSE: 'Apache License\n', 'package.json': '{"name":"web"}', 'tsconfig.json': '{ // base\n}' },
      ...{
        'yarn.lock': '# yarn\n',
        'requirements.txt': 'otel\n',
        'setup.cfg': '[a]\n',
        '.git/HEAD': 'ref: x\n',
        'node_modules/a/data.bin': 'x',
      },
    };
    await writeFiles(folder, project);
    const { code, stdout, stderr } = await executeCli('audit', folder, '--since', '1h', '--json');
    assert.deepEqual([code, stderr], [0, '']);
    const { seen, traces } = JSON.parse(stdout).window;
    assert.equal(traces, 60);
    assert.match(
      seen.says,
      /^left out, because no spans are in them: \S+LICENSE: a file of a project, by its name; \S+package\.json: .*; and 3 more$/,
    );
    const alone = await makeFolder(t);
    await writeFiles(alone, project);
    const nothing = await executeCli('audit', alone);
    assert.deepEqual([nothing.code, nothing.stdout], [2, '']);
    assert.match(nothing.stderr, /^propagation-check: no file of spans: \S+LICENSE: /);
    // Traces of a service may be named after it. A file that is named on the command line must hold spans.
    await writeFiles(alone, { 'license.json': 'x', 'node_modules.json': 'x' });
    assert.match((await executeCli('audit', alone)).stderr, /license\.json: byte 0: /);
    assert.match((await executeCli('audit', join(alone, 'LICENSE'))).stderr, /LICENSE: byte 0: /);
  });

  test('leaves out files without spans in a folder, and notes them', async (t) => {
    const folder = await makeDump(t);
    await writeFiles(folder, {
      'README.md': '# Traces\n',
      'report.json': JSON.stringify({ version: 1, outcome: 'passed', window: {} }),
      'expectations.yaml': 'edges:\n  must:\n    - web -> orders\n',
      'wire.jsonl': '{"tap":"y","target":"z","sent":null,"received":null}\n'.repeat(2),
      'page.html': '<html></html>',
      'state.sqlite': Uint8Array.of(0x53, 0x51, 0, 1, 2, 3, 0xff),
      'server.exe': Uint8Array.of(0x4d, 0x5a, 0x90, 0, 3),
    });
    const { code, stdout, stderr } = await executeCli('audit', folder, '--since', '1h', '--json');
    assert.deepEqual([code, stderr], [0, '']);
    const { window, before } = JSON.parse(stdout);
    assert.equal(window.seen.complete, true);
    assert.match(window.seen.says, /^left out, because no spans are in them: .*README\.md: .*; and 4 more$/);
    assert.equal(before.traces, 44);
    const text = (await executeCli('audit', folder, '--since', '1h')).stdout;
    assert.equal(text.match(/left out, because/g)?.length, 1);
    const named = await executeCli('audit', join(folder, 'README.md'));
    assert.deepEqual([named.code, named.stdout], [2, '']);
  });

  test('leaves out another JSON document in a folder, and names it first', async (t) => {
    const folder = await makeDump(t);
    const files = { LICENSE: 'x', 'README.md': '# x', 'a.exe': 'x', 'package.json': '{}' };
    await writeFiles(folder, { ...files, 'settings.json': '{"name":"shop"}' });
    const { code, stdout, stderr } = await executeCli('audit', folder, '--since', '1h', '--json');
    assert.deepEqual([code, stderr], [0, '']);
    const { says } = JSON.parse(stdout).window.seen;
    assert.match(
      says,
      /^left out, because no spans are in them: \S+settings\.json: document: .* found "name"/,
    );
    const named = await executeCli('audit', join(folder, 'settings.json'));
    assert.deepEqual([named.code, named.stdout], [2, '']);
    const alone = await makeFolder(t, { 'settings.json': '{"name":"shop"}', 'other.json': '{"name":"web"}' });
    const nothing = await executeCli('audit', alone);
    assert.deepEqual([nothing.code, nothing.stdout], [2, '']);
    assert.match(nothing.stderr, /^propagation-check: no file of spans: .*other\.json: .*settings\.json: /);
  });

  for (const [name, content] of [
    ['hour.json', '<!doctype html><title>Log in</title>'],
    ['hour.json.gz', gzipSync('<!doctype html><title>Log in</title>')],
    ['hour.jsonl', '{"login":"/sign-in","path":"/traces"}'],
    ['hour', '\n'],
    ['hour.pb', Uint8Array.of(0xff, 0xfe, 0xfd)],
    ['hour.jsonl.1', '<!doctype html><title>Log in</title>'],
    ['hour.json-20261130', '<!doctype html><title>Log in</title>'],
    ['hour.json.2026-11-30', '<!doctype html><title>Log in</title>'],
  ] as const) {
    test(`a file that should hold spans by its name, and does not, is an error: ${name} ${content}`, async (t) => {
      const folder = await makeDump(t);
      await writeFile(join(folder, name), content);
      const { code, stdout, stderr } = await executeCli('audit', folder, '--since', '1h');
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, /hour.*; if it is of another kind, name the others/);
    });
  }

  test('its own report among the files does not stop an audit', async (t) => {
    const folder = await makeDump(t);
    const write = (name: string) => [
      '--report',
      `${name}=${join(folder, `report.${name.replace('junit', 'xml')}`)}`,
    ];
    const written = [...['json', 'html', 'junit'].flatMap(write), '--state', join(folder, 'state.json')];
    for (const _ of [1, 2]) {
      const { code, stderr } = await executeCli('audit', folder, '--since', '1h', ...written);
      assert.deepEqual([code, stderr], [0, '']);
    }
    const spans = join(folder, 'year=2026/month=11/day=28/hour=20/minute=00/traces_1.json');
    const over = await executeCli('audit', folder, '--report', `json=${spans}`);
    assert.match(over.stderr, /has another use in this command/);
  });

  test('a folder without spans is an error, and so is a damaged file of spans', async (t) => {
    const folder = await makeFolder(t, { 'README.md': '# Traces\n', 'page.html': '<html></html>' });
    const foreign = await executeCli('audit', folder);
    assert.deepEqual([foreign.code, foreign.stdout], [2, '']);
    assert.match(
      foreign.stderr,
      /^propagation-check: no file of spans: .*README\.md: a file of a project, .*\n$/,
    );
    const cut = toJson(makeTraffic({ from, calls: 2 })).slice(0, -30);
    const damaged = await makeFolder(t, { 'traces.json': cut, 'README.md': '# Traces\n' });
    assert.match((await executeCli('audit', damaged)).stderr, /traces\.json: .*ends early/);
  });

  test('an empty window gives no verdict', async (t) => {
    const folder = await makeDump(t);
    const { code, stdout } = await executeCli(
      ...['audit', folder, '--until', '2026-11-28T19:00:00Z', '--since', '1h'],
    );
    assert.equal(code, 2);
    assert.match(stdout, /^CANNOT TELL {2}.*no trace begins in the window/);
  });

  test('--fail-under fails by the rate, and reports whether the counts prove it', async (t) => {
    const folder = await makeDump(t);
    const below = await executeCli('audit', folder, '--fail-under', '97%');
    assert.equal(below.code, 1);
    assert.match(below.stdout, /^BROKEN {2}1 of 1 edge below 97 %; 4 of 100 calls broken/);
    assert.match(below.stdout, /below 97 %, not proven by so few calls; split-trace 4/);
    const proven = await executeCli('audit', folder, '--fail-under', '99%');
    assert.match(proven.stdout, /below 99 %, proven; split-trace 4/);
    const above = await executeCli('audit', folder, '--fail-under', '96%');
    assert.equal(above.code, 0);
    assert.match(
      above.stdout,
      /^WITHIN LIMIT {2}4 of 100 calls broken \(96 % intact, limit 96 %; everything/,
    );
    // The table shows these findings, and nothing has to be done about them.
    const left = /… 1 finding within the limit \(in full without --fail-under, or with --json\)/;
    const markdown = await executeCli('audit', folder, '--fail-under', '96%', '--report', 'markdown');
    for (const { stdout } of [above, markdown]) {
      assert.match(stdout, left);
      assert.doesNotMatch(stdout, /to decide/);
      assert.equal(stdout.match(/split-trace/g)?.length, 1);
    }
    assert.match(below.stdout, /to decide/);
    assert.doesNotMatch(below.stdout, left);
    const none = await executeCli('audit', folder, '--since', '1h', '--fail-under', '96%');
    assert.match(none.stdout, /^INTACT {2}0 of 1 edge below 96 %; 0 of 60 calls broken/);
    const known = ['--baseline', join(folder, '.known.yaml')];
    await executeCli('audit', folder, ...known, '--update-baseline');
    assert.match((await executeCli('audit', folder, ...known, '--fail-under', '90%')).stdout, /^INTACT /);
  });

  test('--state shows what is new since the last run', async (t) => {
    const folder = await makeDump(t);
    const state = ['--state', join(folder, '.state.json')];
    const later = await executeCli('audit', folder, '--since', '1h', ...state);
    assert.doesNotMatch(later.stdout, /new/);
    const whole = await executeCli('audit', folder, ...state);
    assert.match(whole.stdout, /split-trace 4 \((?:maybe [\w-]+, )?new\)/);
    const again = await executeCli('audit', folder, '--since', '1h', ...state);
    assert.match(again.stdout, /gone since the last run: web → orders: split-trace/);
  });

  test('--baseline accepts known findings', async (t) => {
    const folder = await makeDump(t);
    const baseline = ['--baseline', join(folder, '.known.yaml')];
    const written = await executeCli('audit', folder, ...baseline, '--update-baseline');
    assert.equal(written.code, 0, written.stderr);
    const { code, stdout } = await executeCli('audit', folder, ...baseline, '--fail-under', '99%');
    assert.equal(code, 0);
    assert.match(stdout, /~ web → orders .*\n {4}split-trace 4 \((?:maybe [\w-]+, )?known\)/);
  });

  test('--update-baseline writes nothing where an expected service is misspelt', async (t) => {
    const folder = await makeDump(t);
    const known = join(folder, '.known.yaml');
    const update = ['--expect', 'wep -> orders', '--baseline', known, '--update-baseline'];
    const { code, stderr } = await executeCli('audit', folder, ...update);
    assert.equal(code, 2);
    assert.match(stderr, /no span, did you mean web instead of wep\? \S+known\.yaml stays as it is$/m);
    await assert.rejects(readFile(known), { code: 'ENOENT' });
  });

  test('options without an effect on the source are refused, after errors of the source', async (t) => {
    const folder = await makeDump(t);
    const ca = join(folder, '.ca.pem');
    await writeFile(ca, rootCertificates[0] ?? '');
    const searched = 'works with jaeger=URL and tempo=URL only';
    for (const [source, option, message] of [
      [[folder], ['--limit', '5'], `${searched}$`],
      [[folder], ['--header', 'A: b'], `${searched}$`],
      [[folder], ['--settle', '5s'], 'works with jaeger=URL, tempo=URL and clickhouse=URL only$'],
      [
        [folder],
        ['--ca', ca],
        'works with jaeger=URL, tempo=URL, clickhouse=URL and --collector-metrics only$',
      ],
      [[folder], ['--print-sql'], 'only --source clickhouse=URL has a view'],
      [
        ['--source', 'clickhouse=http://127.0.0.1:9/otel'],
        ['--timeout', '5s'],
        'works with jaeger=URL, tempo=URL and --collector-metrics only; \\?seconds=',
      ],
    ] as const) {
      const { code, stderr } = await executeCli('audit', ...source, ...option);
      assert.equal(code, 2);
      assert.match(stderr, new RegExp(`${option[0]}:? ${message}`, 'm'));
    }
    const limit = ['--limit', '5'];
    const typo = await executeCli('audit', '--source', 'jeager=http://127.0.0.1:9', ...limit);
    assert.match(typo.stderr, /^propagation-check: --source "?jeager=\S+: not a source;/);
    const receiver = await executeCli('audit', '--source', 'otlp', ...limit, '--show-config');
    assert.match(receiver.stderr, /: an audit reads what is stored: /);
    const none = await executeCli('audit', ...limit);
    assert.match(none.stderr, /: name what to audit: /);
  });

  test('--fail-on warning explains why an audit without an error fails', async (t) => {
    const folder = await makeFolder(t);
    const { spans } = readFixtureDrawing('span-lost-in-service/shown.txt');
    await writeFiles(folder, { 'spans.jsonl': encodeOtlpLines(spans) });
    const { code: passed } = await executeCli('audit', folder);
    const { code, stdout } = await executeCli('audit', folder, '--fail-on', 'warning');
    assert.deepEqual([passed, code], [0, 1]);
    assert.match(stdout, /^FAILED {2}0 of 1 edge broken; .*; warnings fail \(--fail-on warning\)/);
  });

  test('an expected edge without calls fails, unless another service may be meant', async (t) => {
    const folder = await makeDump(t);
    const audit = (path: string) => executeCli('audit', folder, '--since', '1h', '--expect', path);
    const { code, stdout } = await audit('web -> orders -> stock');
    assert.equal(code, 1);
    assert.match(stdout, /✗ orders → stock/);
    const open = await audit('orders -> stock');
    assert.equal(open.code, 2);
    assert.match(open.stdout, /no span of stock is here, only of/);
  });

  test('every report contains the audit', async (t) => {
    const folder = await makeDump(t);
    const names = ['junit', 'html', 'markdown', 'json', 'tree'];
    const reports = names.flatMap((name) => ['--report', `${name}=${join(folder, `.report.${name}`)}`]);
    const { stdout } = await executeCli(
      ...['audit', folder, ...reports, '--report', 'github', '--fail-under', '96%'],
    );
    assert.match(stdout, /^::warning /m);
    const read = (name: string) => readFile(join(folder, `.report.${name}`), 'utf8');
    assert.match(
      await read('junit'),
      /failures="0"[\s\S]*audit: WITHIN LIMIT, 4 of 100 calls broken \(96 % intact/,
    );
    assert.match(await read('html'), /audit: WITHIN LIMIT, 4 of 100 calls broken \(96 % intact/);
    assert.match(await read('tree'), /audit: WITHIN LIMIT/);
    assert.match(
      await read('markdown'),
      /\| ⚠️ ` web → orders ` \| http \| 100 \| 96 % \| 90\.16–98\.44 % \|/,
    );
    assert.equal(JSON.parse(await read('json')).kind, 'audit');
  });
});

suite('errors of an audit have one line', () => {
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['nothing named', [], /name what to audit/],
    ['two sources', ['.', '--source', 'jaeger=http://localhost'], /both --source and files are given/],
    ['a missing file', ['/nonexistent/spans.json'], /\/nonexistent\/spans\.json: no such file/],
    ['a pattern without a match', ['/nonexistent/*.json'], /\/nonexistent\/\*\.json: no file matches/],
    [
      'a receiver',
      ['--source', 'otlp'],
      /--source "otlp": an audit reads what is stored: jaeger=URL, tempo=URL, clickhouse=URL, file=PATH, file=-; a receiver/,
    ],
    [
      'an unknown source',
      ['--source', 'zipkin=x'],
      /not a source; use one of jaeger=URL, tempo=URL, clickhouse=URL, file=PATH, file=-$/m,
    ],
    [
      'ClickHouse without http',
      ['--source', 'clickhouse=ch:8123'],
      /--source clickhouse: not an http or https/,
    ],
    ...['0.995', '0%', '101%', '101', '-1%'].map(
      (share) =>
        [
          `a share of ${share}`,
          ['.', '--fail-under', share],
          /--fail-under ".*": expected a share above 0% and up to 100%, for instance 99\.5%$/m,
        ] as const,
    ),
    ...['0s', '-1h', '10', '367d', '1w'].map(
      (time) =>
        [
          `a window of ${time}`,
          ['.', '--since', time],
          /--since ".*": expected a time with its unit, above 0 and up to 366d, for instance 500ms, 15s, 15m, 2h or 1d$/m,
        ] as const,
    ),
    [
      'a turn of days',
      ['.', '--every', '2d'],
      /--every "2d": expected a time with its unit, above 0 and up to 1d, for instance 500ms, 15s, 15m, 2h or 1d$/m,
    ],
    ['a date without a time', ['.', '--until', '2026-11-28'], /--until.*2026-11-28T22:00:00Z/],
    ['an end for each turn', ['.', '--every', '1m', '--until', '1h'], /--every: .*leave --until out/],
    ['warnings that fail', ['.', '--fail-under', '99%', '--fail-on', 'warning'], /--fail-on warning/],
    ['standard input twice', ['-', '-'], /standard input \(-\) can be read once/],
  ];
  for (const [name, args, says] of cases) {
    test(name, async () => {
      const { code, stdout, stderr } = await executeCli('audit', ...args);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, says);
      assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
    });
  }

  test('files without spans, a folder without files, a state of another program', async (t) => {
    const folder = await makeFolder(t, { 'spans.json': '{"a":1}', 'state.json': '{}' });
    await mkdir(join(folder, 'empty'));
    await writeFile(join(folder, 'good.json'), toJson(makeTraffic({ from, calls: 1 })));
    for (const [args, says] of [
      [[join(folder, 'spans.json')], /spans\.json: /],
      [[join(folder, 'empty')], /empty: no file of spans in this folder/],
      [
        [join(folder, 'good.json'), '--state', join(folder, 'state.json')],
        /--state .*state\.json: not a state/,
      ],
      [[join(folder, 'good.json'), '--state', join(folder, 'good.json')], /--state: .*another use/],
    ] as const) {
      const { code, stdout, stderr } = await executeCli('audit', ...args);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, says);
    }
  });

  test('the report of an earlier run is replaced', async (t) => {
    const folder = await makeFolder(t, { 'audit.json': '{"outcome":"passed"}' });
    const report = join(folder, 'audit.json');
    await executeCli('audit', '/nonexistent/spans.json', '--report', `json=${report}`);
    const { kind, outcome, reason } = JSON.parse(await readFile(report, 'utf8'));
    assert.deepEqual([kind, outcome], ['audit', 'unknown']);
    assert.match(reason, /no such file/);
  });
});
