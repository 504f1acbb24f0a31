import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readFixture } from '../decode/fixture.ts';
import { healthyCapture, readCapture } from './captures.ts';
import { assertIsRefusal, executeCli, makeFolder, runCli } from './run-cli.ts';

const jaeger = ['--source', 'jaeger=http://127.0.0.1:1'] as const;
const id = '4bf92f3577b34da6a3ce929d0e0e4736';

async function assertRefused(args: readonly string[], message: RegExp): Promise<void> {
  assertIsRefusal(await executeCli(...args), message);
}

test('an empty path, for instance from a variable that is not set', async () => {
  for (const command of ['file', 'audit'])
    await assertRefused([command, ''], /^propagation-check: "": no such file$/m);
  await assertRefused(['file', 'x', '--wire', ''], /^propagation-check: --wire "": no such file$/m);
  const written = ['--baseline', '', '--update-baseline'];
  await assertRefused(['file', 'x', ...written], /^propagation-check: --baseline "": empty; name a file$/m);
  await assertRefused(['audit', 'x', '--state', ''], /^propagation-check: --state "": empty; name a file$/m);
  const saved = ['run', 'http://127.0.0.1:1/', '--source', 'otlp=127.0.0.1:0', '--save', ''];
  await assertRefused(saved, /^propagation-check: --save "": no such file$/m);
  await assertRefused(['exec', '--', ''], /^propagation-check: "": no command can have this name$/m);
});

test('files that cannot be read', async (t) => {
  const folder = await makeFolder(t, {
    empty: '',
    text: 'hello',
    blank: ' \n',
    'empty.gz': gzipSync(''),
    'cut.json': '{"resourceSpans":[{',
    'v1.json': readFixture('zipkin-v1.json'),
  });
  const cases: readonly (readonly [string, RegExp])[] = [
    [join(folder, 'absent'), /absent: no such file$/m],
    [folder, /: a folder; name a file in it, or read it whole with propagation-check audit$/m],
    [join(folder, 'empty'), /empty: empty; expected spans \(was it copied before .*\)$/m],
    [join(folder, 'empty.gz'), /empty\.gz: gzip: empty; expected spans \(was it copied before .*\)$/m],
    [join(folder, 'blank'), /blank: document: empty, or nothing but white space; expected spans$/m],
    [join(folder, 'text'), /text: byte 0: no format is recognised; expected OTLP JSON/],
    [join(folder, 'cut.json'), /cut\.json: byte 19: the JSON ends early, as if it was cut off$/m],
    [join(folder, 'v1.json'), /v1\.json: \[0\]\.\w+: this is Zipkin v1 JSON, .* API v2, \/api\/v2\/traces/],
    [join(folder, 'text', 'x'), /no such file: a part of the path is not a folder$/m],
    ['\u001b[31m\n::error::', /"\\u001b\[31m\\n::error::": no such file$/m],
  ];
  for (const [path, message] of cases) await assertRefused(['file', path], message);
});

test('standard input that is empty, or given twice', async (t) => {
  assertIsRefusal(await runCli(t, ['file', '-']), /standard input: empty; expected spans/);
  await assertRefused(['file', '-', '-'], /name it once/);
});

test('expectations', async (t) => {
  const folder = await makeFolder(t, {
    'spans.jsonl': readCapture(healthyCapture),
    'unknown.yaml': 'edges:\n  must:\n    - a -> b\n  musnt: []\n',
    'broken.yaml': 'edges: [\n',
    'tab.yaml': 'edges:\n\tmust: []\n',
    'colon.yaml': 'a: b: c\n',
  });
  const spans = join(folder, 'spans.jsonl');
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['--expect', 'a'], /: --expect "a": expected services with arrows/],
    [['--expect', 'a -> '], /expected services with arrows/],
    [
      ['--expectations', join(folder, 'no', 'x.yaml')],
      /no\/x\.yaml: no such file: there is no folder .*\/no$/m,
    ],
    [['--report', `html=${folder}`], /--report html=.*: a folder; name a file in it$/m],
    [['--report', 'sarif'], /--report "sarif": expected tree, .*, or NAME=FILE; doctor takes it$/m],
    [['--report', 'pdf'], /--report "pdf": expected tree, .*, or NAME=FILE$/m],
    [['--expect'], /: --expect <path>: its value is missing; see --help$/m],
    [['--expectations', join(folder, 'absent.yaml')], /absent\.yaml: no such file/],
    [['--expectations', folder], /a folder; name a file in it/],
    [['--expectations', join(folder, 'tab.yaml')], /tab\.yaml:2:1: a tab; indent with spaces/],
    [['--expectations', join(folder, 'colon.yaml')], /colon\.yaml:1:4: a second "key:" in one line/],
    [
      ['--expectations', join(folder, 'unknown.yaml')],
      /unknown\.yaml:4:3: edges: unknown key "musnt"; known here: must, may, must-not; did you mean must\?$/m,
    ],
    [['--expectations', join(folder, 'broken.yaml')], /broken\.yaml:\d+:\d+: a bracket is not closed/],
  ];
  for (const [args, message] of cases) await assertRefused(['file', spans, ...args], message);
});

test('files of a tap', async (t) => {
  const folder = await makeFolder(t, {
    'spans.jsonl': readCapture(healthyCapture),
    'bad.jsonl': '\n{"time":"2026-01-01T00:00:00.000Z"}\n',
    'text.jsonl': 'listening\n',
  });
  const spans = join(folder, 'spans.jsonl');
  const cases: readonly (readonly [string, RegExp])[] = [
    ['absent.jsonl', /--wire .*absent\.jsonl: no such file/],
    [
      'bad.jsonl',
      /bad\.jsonl: line 2: "durationMs": expected number.*; expected what propagation-check tap writes/,
    ],
    ['text.jsonl', /text\.jsonl: line 1: byte 0: not valid JSON/],
  ];
  for (const [name, message] of cases) {
    await assertRefused(['file', spans, '--wire', join(folder, name)], message);
  }
});

test('the error names the content of a file that belongs elsewhere', async (t) => {
  const folder = await makeFolder(t, {
    'spans.jsonl': readCapture(healthyCapture),
    'expectations.yaml': 'edges:\n  must:\n    - a\n',
  });
  const spans = join(folder, 'spans.jsonl');
  const cases: readonly (readonly [string, RegExp])[] = [
    ['--expectations', /expected YAML, such as edges: \{ must: \[a -> b\] \}$/m],
    ['--baseline', /expected what --update-baseline writes$/m],
    ['--config', /expected YAML with settings$/m],
    ['--wire', /expected what propagation-check tap writes, or a pcap$/m],
  ];
  const content =
    /: --\w+ \S+spans\.jsonl: these are spans \(OTLP JSON Lines\), which propagation-check file takes without an option; /;
  for (const [option, expected] of cases) {
    await assertRefused(['file', spans, option, spans], content);
    await assertRefused(['file', spans, option, spans], expected);
  }
  const expectations = join(folder, 'expectations.yaml');
  await assertRefused(
    ['file', spans, '--baseline', expectations],
    /--baseline \S+: .*this is an expectations file of propagation-check; name it with --expectations FILE; expected what --update-baseline writes$/m,
  );
  // The content is of the right kind, and has a fault.
  await assertRefused(
    ['file', spans, '--expectations', expectations],
    /expectations\.yaml:3:7: edges\.must\.0: /,
  );
});

test('--ca is checked even where no request needs it', async (t) => {
  const folder = await makeFolder(t, { 'spans.jsonl': readCapture(healthyCapture), 'ca.pem': 'hello' });
  const file = ['file', join(folder, 'spans.jsonl')] as const;
  await assertRefused([...file, '--ca', '/absent'], /--ca \/absent: no such file/);
  await assertRefused([...file, '--ca', join(folder, 'ca.pem')], /--ca .*ca\.pem: not a PEM certificate/);
});

test('the metrics of a Collector that is not there', async (t) => {
  const folder = await makeFolder(t, { 'spans.jsonl': readCapture(healthyCapture) });
  await assertRefused(
    ['file', join(folder, 'spans.jsonl'), '--collector-metrics', 'http://127.0.0.1:1'],
    /connection refused; is the Collector running there, and is this the port of its own metrics\?/,
  );
});

test('sources that cannot be used', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [
      ['--source', 'jaeger=http://127.0.0.1:1'],
      /jaeger=http:\/\/127\.0\.0\.1:1: connection refused; is Jaeger running there/,
    ],
    [
      ['--source', 'tempo=http://127.0.0.1:1'],
      /tempo=http:\/\/127\.0\.0\.1:1: connection refused; is Tempo running there/,
    ],
    [['--source', 'zipkin=http://x'], /--source "zipkin=http:\/\/x": not a source; use one of jaeger=URL/],
    [['--source', 'jaeger=localhost'], /--source "jaeger=localhost": not an http or https URL/],
    [['--source', 'jaeger=http://user:secret@x'], /credentials do not belong into the URL/],
    [['--source', 'file=/absent'], /\/absent: no such file/],
    [[...jaeger, '--header', 'secret'], /--header: expected "Name: value"/],
    [[...jaeger, '--ca', '/absent'], /--ca \/absent: no such file/],
    [
      ['--source', 'file=/absent', '--collector-metrics', 'http://127.0.0.1:1', '--ca', '/'],
      /--ca \/: a folder/,
    ],
    [[...jaeger, '--collector-metrics', 'x'], /: --collector-metrics "x": expected an http/],
    [[], /required option '--source <source>' not specified/],
  ];
  for (const [args, message] of cases) await assertRefused(['trace', id, ...args], message);
});

test('no message shows a header', async () => {
  const { stderr } = await executeCli('trace', id, ...jaeger, '--header', 'Bearer hush-hush');
  assert.doesNotMatch(stderr, /hush/);
});

test('invalid trace ids', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['xyz'], /: trace-ids "xyz": expected a trace id: 32 hex digits, or 16/],
    [['abc'], /expected a trace id: .*may be left out down to 8 digits/],
    [['0'.repeat(32)], /expected a trace id/],
    [[`${id}00`], /expected a trace id/],
    [[], /name the traces: either TRACE_ID…, or --service NAME/],
    [[id, '--service', 'web'], /name the traces: either/],
    [['--service', 'web', '--since', '5'], /: --since "5": expected a time with its unit/],
    [['--service', 'web', '--since', '-5m'], /expected a time with its unit/],
    [['--service', ' '], /expected the name of a service/],
    [['--service', 'web', '--limit', '1.5'], /expected a whole number from 1 to 100000/],
    [[id, '--timeout', '30d'], /expected a time with its unit, above 0 and up to 1d/],
  ];
  for (const [args, message] of cases) await assertRefused(['trace', ...args, ...jaeger], message);
});

test('runs that cannot start', async () => {
  await assertRefused(
    ['run', '--no-config'],
    /^propagation-check: missing required argument 'url', and required option '--source <source>' not specified/m,
  );
  const receiver = ['--source', 'otlp=127.0.0.1:0'] as const;
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['nowhere', ...receiver], /: url "nowhere": expected an http:\/\/ or https:\/\/ URL/],
    [['ftp://x', ...receiver], /expected an http:\/\/ or https:\/\/ URL/],
    [
      ['http://user:secret@x', ...receiver],
      /^propagation-check: http:\/\/x: credentials do not belong into the URL$/m,
    ],
    [
      ['http://127.0.0.1:1/x', ...receiver],
      /http:\/\/127\.0\.0\.1:1\/x: connection refused; is the service running there, and is this its port\?/,
    ],
    [['http://127.0.0.1:1/x', ...jaeger], /jaeger=http:\/\/127\.0\.0\.1:1: connection refused/],
    [['http://x', ...receiver, '--requests', '0'], /expected a whole number/],
    [['http://x', ...receiver, '--method', 'G T'], /expected a method/],
    [['http://x', ...receiver, '--baggage', 'x'], /expected KEY=VALUE/],
    [['http://x', ...receiver, '--ca', '/absent'], /--ca \/absent: no such file/],
    [['http://x', ...receiver, '--service', ''], /expected the name of a service/],
    [
      ['http://x', ...receiver, '--request-header', 'hush'],
      /^propagation-check: --request-header: expected "Name: v/,
    ],
    [
      ['http://x', ...receiver, '--request-header', 'TraceParent: x'],
      /--request-header: traceparent is set by this tool/,
    ],
    [
      ['http://x', ...receiver, '--request-header', 'baggage: a=b', '--baggage', 'c=d'],
      /baggage is given twice, by --baggage and by --request-header/,
    ],
    [['http://x', 'nowhere', ...receiver], /: url "nowhere": expected/],
    [
      ['http://127.0.0.1:1/x', '--source', 'file=/absent'],
      /--source file: a file is read once, before the requests are sent, .* propagation-check file PATH$/m,
    ],
  ];
  for (const [args, message] of cases) await assertRefused(['run', ...args], message);
});

test('files that cannot be written, before anything is read', async (t) => {
  const folder = await makeFolder(t);
  const missing = join(folder, 'missing/');
  // The name itself is short enough for a file, and the name of the temporary file beside it is too long.
  const unwritable = join(folder, 'x'.repeat(250));
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [
      ['file', 'absent', '--report', `json=${missing}`],
      /--report json=\S+missing\/: a folder; name a file in it/,
    ],
    [['audit', 'absent', '--state', missing], /--state \S+missing\/: a folder; name a file in it/],
    [['audit', 'absent', '--state', unwritable], /--state \S+ cannot be written: the name is too long/],
    [
      ['file', 'absent', '--update-baseline', '--baseline', unwritable],
      /--baseline \S+ cannot be written: the name is too long/,
    ],
  ];
  for (const [args, message] of cases) await assertRefused(args, message);
});

test('options of watch that work with some sources only', async () => {
  const stores = 'works with jaeger=URL and tempo=URL only';
  const asked = 'works with jaeger=URL, tempo=URL and otlp with --forward only';
  for (const [args, option, message] of [
    [['x'], ['--since', '1h'], stores],
    [['--source', 'file=x'], ['--since', '1h'], stores],
    [['--source', 'otlp=127.0.0.1:0'], ['--limit', '3'], stores],
    [['--source', 'file=x'], ['--service', 'web'], 'works with jaeger=URL, tempo=URL and otlp only'],
    [['x'], ['--timeout', '1s'], asked],
    [['--source', 'otlp=127.0.0.1:0'], ['--header', 'A: b'], asked],
    [['x'], ['--forward', 'http://127.0.0.1:1'], 'works with otlp only'],
    [['--source', 'jaeger=http://127.0.0.1:1'], ['--forward', 'http://127.0.0.1:1'], 'works with otlp only'],
    [['x', '--show-config'], ['--since', '1h'], stores],
  ] as const)
    await assertRefused(
      ['watch', '--once', ...args, ...option],
      new RegExp(`^propagation-check: ${option[0]} ${message}$`, 'm'),
    );
  const since = ['--since', '1h'];
  await assertRefused(['watch', ...since], /name what to watch: /);
  await assertRefused(
    ['watch', '--source', 'jeager=http://127.0.0.1:1', ...since],
    /jeager=\S+: not a source; /,
  );
});

test('options of trace, run and exec that work with some sources only', async () => {
  const [file, receiver] = [
    ['--source', 'file=x'],
    ['--source', 'otlp=127.0.0.1:0'],
  ] as const;
  const asked = 'works with jaeger=URL, tempo=URL and otlp with --forward only';
  const waited = 'works with jaeger=URL, tempo=URL and otlp only';
  const http = 'works with jaeger=URL, tempo=URL, otlp with --forward and --collector-metrics only';
  const url = 'http://127.0.0.1:1/';
  for (const [args, option, message] of [
    [['trace', id, ...jaeger], ['--since', '1h'], 'works with --service only'],
    [['trace', id, ...file], ['--limit', '3'], 'works with --service only'],
    [['trace', id, ...file], ['--header', 'A: b'], asked],
    [['trace', id, ...file], ['--wait', '5s'], waited],
    [['trace', id, ...file], ['--settle', '5s'], waited],
    [['run', url, ...receiver], ['--header', 'A: b'], asked],
    [['trace', id, ...file], ['--timeout', '5s'], http],
    [['file', 'x'], ['--timeout', '5s'], 'works with --collector-metrics only'],
  ] as const)
    await assertRefused(
      [...args, ...option],
      new RegExp(`^propagation-check: ${option[0]} ${message}$`, 'm'),
    );
  await assertRefused(
    ['exec', '--header', 'A: b', '--', 'true'],
    /^propagation-check: --header works with otlp with --forward only$/m,
  );
  await assertRefused(
    ['exec', '--timeout', '1s', '--', 'true'],
    /^propagation-check: --timeout works with .*--collector-metrics only$/m,
  );
  const metrics = ['--collector-metrics', 'http://127.0.0.1:1/metrics'];
  await assertRefused(['file', 'absent', ...metrics, '--timeout', '5s'], /absent: no such file/);
});

test('an option that names one place and is given twice', async () => {
  const target = ['--target', 'http://127.0.0.1:1'];
  for (const [args, option, texts] of [
    [['tap', '--listen', '0', ...target], 'target', ['http://127.0.0.1:1', 'http://127.0.0.1:2']],
    [['tap', '--listen', '0', ...target], 'listen', ['0', '1']],
    [['sink', '--metrics', '0'], 'metrics', ['0', '1']],
    [['sink', '--state', 'a'], 'state', ['a', 'b']],
  ] as const)
    await assertRefused(
      [...args, `--${option}`, texts[1]],
      new RegExp(
        `^propagation-check: --${option} is given twice, "${texts[0]}" and "${texts[1]}"; name one$`,
        'm',
      ),
    );
  await assertRefused(
    ['tap', '--listen', '0', ...target, '--target', 'http://u:secret@b'],
    /"http:\/\/REDACTED@b"; name one$/m,
  );
  await assertRefused(
    ['sink', '--listen', '4317', '--listen', '4318'],
    /--listen is given twice, "4317" and "4318"; name all at once, with commas between$/m,
  );
  await assertRefused(
    ['sink', '--listen', '4317,127.0.0.1:4317'],
    /--listen "4317,127.*": expected each address once$/m,
  );
});

test('a file whose name begins with a dash', async (t) => {
  const folder = await makeFolder(t, { '-spans.jsonl': 'x' });
  const before = process.cwd();
  process.chdir(folder);
  t.after(() => process.chdir(before));
  await assertRefused(
    ['file', '-spans.jsonl'],
    /^propagation-check: unknown option '-spans.jsonl'; name the file \.\/-spans\.jsonl$/m,
  );
  await assertRefused(['file', '-other.jsonl'], /unknown option '-other.jsonl'; see --help$/m);
});

test('a repeated --service where a search takes one', async () => {
  const services = ['--service', 'web', '--service', 'orders'];
  const message = /^propagation-check: --service is given twice, "web" and "orders"; name one$/m;
  await assertRefused(['trace', ...services, ...jaeger], message);
  await assertRefused(['watch', '--once', ...services, ...jaeger], message);
  await assertRefused(['run', 'http://127.0.0.1:1/', ...services, ...jaeger], /connection refused/);
});

test('the error on a wrong URL shows a URL for that option', async () => {
  for (const [args, example] of [
    [['file', 'x', '--collector-metrics', 'x'], 'http://localhost:8888/metrics'],
    [['exec', '--forward', 'x', '--', 'true'], 'http://localhost:4318'],
    [['watch', '--jaeger-ui', 'x'], 'http://localhost:16686'],
    [['run', 'x'], 'http://localhost:8081/call-b'],
  ] as const)
    await assertRefused(
      args,
      new RegExp(`expected an http:// or https:// URL, for instance ${example}$`, 'm'),
    );
});

test('commands and options that do not exist', async () => {
  const { filename, dirname } = import.meta;
  await assertRefused([filename], /; to check this file: propagation-check file \S+bad-input\.test\.ts$/m);
  await assertRefused([dirname], /; to check this folder: propagation-check audit \S+cli$/m);
  await assertRefused(['http://localhost'], /; to request a URL: propagation-check run URL --source …$/m);
  await assertRefused(
    ['file', 'https://jaeger/api'],
    /^propagation-check: https:\/\/jaeger\/api: a URL, not a file; /m,
  );
  await assertRefused(['nope'], /unknown command 'nope'; see --help/);
  await assertRefused(['a'.repeat(300)], /unknown command 'a+'; see --help/);
  await assertRefused(['fil'], /unknown command 'fil' \(Did you mean file\?\)/);
  await assertRefused(['help', 'nope'], /unknown command 'nope'; see --help/);
  await assertRefused(['help', 'fil'], /unknown command 'fil' \(Did you mean file\?\)/);
  await assertRefused(['help', 'file', 'x'], /too many arguments for 'help'/);
  await assertRefused(
    ['file', 'x', '--exptect', 'a'],
    /unknown option '--exptect' \(Did you mean --expect\?\)/,
  );
  await assertRefused(
    ['file', 'x', '--limit', '3'],
    /unknown option '--limit'; audit, trace, watch have it$/m,
  );
  await assertRefused(['tap', '--state=x'], /unknown option '--state=x'; audit, sink have it$/m);
  await assertRefused(['file', 'x', '--a\u001b[2J'], /unknown option '--a\\x1b\[2J'/);
  await assertRefused(['file'], /missing required argument 'paths'/);
  await assertRefused(['watch'], /name what to watch: either --source, or files/);
  await assertRefused(
    ['watch', 'x', '--source', 'otlp=0'],
    /both --source and files are given; name what to watch by one of them/,
  );
  await assertRefused(['watch', '--source', 'jaeger=x'], /not an http or https URL/);
  await assertRefused(
    ['watch', '-'],
    /: -: standard input cannot be followed; use propagation-check file -$/m,
  );
  await assertRefused(
    ['file', 'x', '--expectations', 'a.yaml', '--expectations', 'b.yaml'],
    /: --expectations is given twice, "a\.yaml" and "b\.yaml"; name one$/m,
  );
  await assertRefused(['file', 'x', '--config', 'a', '--config', 'b'], /--config is given twice/);
  for (const options of [
    ['--config', 'a', '--no-config'],
    ['--no-config', '--config', 'true'],
  ])
    await assertRefused(
      ['file', 'x', ...options],
      /: --config and --no-config contradict each other; name one$/m,
    );
  await assertRefused(
    ['file', 'x', '--report', 'xml'],
    /expected tree, terminal, json, html, junit, github, markdown, or NAME=FILE/,
  );
  await assertRefused(['file', 'x', '--report', 'html'], /expected the file to write, html=report\.html/);
  await assertRefused(['file', 'x', '--report', 'html='], /expected the file to write/);
  await assertRefused(
    ['file', 'x', '--report', 'html=no/such/report.html'],
    /--report html=no\/such\/report\.html: the folder no\/such does not exist; create it first$/m,
  );
  await assertRefused(['file', 'x', '--report', 'html=.'], /--report html=\.: a folder; name a file in it$/m);
  await assertRefused(['file', 'x', '--report', 'json', '--report', 'terminal'], /would both be printed/);
  await assertRefused(['file', 'x', '--report', 'github', '--report', 'github'], /would both be printed/);
  await assertRefused(['file', 'x', '--report', 'json=x', '--report', 'html=x'], /would both be written/);
  await assertRefused(
    ['file', 'x', '--report', 'json=./x'],
    /\.\/x has another use in this command; name another file/,
  );
  await assertRefused(
    ['file', 'x', '--json', '--report', 'markdown'],
    /--json and --report markdown would both be printed/,
  );
});

test('exec: commands that cannot run', async (t) => {
  const folder = await makeFolder(t, { script: 'echo x\n' });
  const script = join(folder, 'script');
  await assertRefused(['exec'], /missing required argument 'command'/);
  await assertRefused(['exec', '--'], /missing required argument 'command'/);
  await assertRefused(
    ['exec', '--', 'no-such-command'],
    /no-such-command: command not found; check its spelling/,
  );
  await assertRefused(['exec', '--', folder], /: a folder; name a program in it$/m);
  await assertRefused(['exec', '--', script], /script: not a program that may be run; chmod \+x it/);
  await assertRefused(
    ['exec', '--source', 'jaeger=http://h', '--', 'true'],
    /--source: .*use otlp=HOST:PORT/,
  );
});
