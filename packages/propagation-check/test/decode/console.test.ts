import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecodeError } from '../../src/decode/decode-error.ts';
import { decodeBytes } from '../../src/decode/detect-format.ts';
import { readInspectedValue } from '../../src/decode/inspected-value.ts';
import { isParentRemote } from '../../src/span/span.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { debugMessage } from './debug-message.ts';
import { readFixture } from './fixture.ts';

/** Output of the real SDKs among log lines: web calls orders. */
const printed = {
  'js-console': { otherLines: 8, remote: [true, false, null] },
  'python-console': { otherLines: 3, remote: [null, null, null] },
  'go-console': { otherLines: 1, remote: [true, false, false] },
} as const;

for (const [format, { otherLines, remote }] of Object.entries(printed)) {
  test(`output of the real SDK is decoded: ${format}`, () => {
    const decoded = decodeBytes(readFixture(`${format}.txt`));
    const { spans } = decoded;
    const [server, client, root] = spans;
    assert.equal(decoded.format, format);
    assert.deepEqual(decoded.notes, [`lines without a span, left out: ${otherLines}`]);
    assert.deepEqual(
      spans.map(({ kind, serviceName }) => [kind, serviceName]),
      [
        ['SERVER', 'orders'],
        ['CLIENT', 'web'],
        ['SERVER', 'web'],
      ],
    );
    assert.deepEqual(
      [server?.parentSpanId, client?.parentSpanId, root?.parentSpanId],
      [client?.spanId, root?.spanId, null],
    );
    assert.equal(client?.attributes.get('server.port'), 8080);
    const isRemote = spans.map((span) =>
      span.parentSpanId === null && format === 'js-console' ? null : isParentRemote(span),
    );
    assert.deepEqual(isRemote, remote);
    const { verdict, edges } = checkTraces(spans);
    assert.deepEqual(
      [verdict, edges.map(({ client, server }) => [client, server])],
      ['intact', [['web', 'orders']]],
    );
  });
}

for (const [name, otherLines] of Object.entries({ 'java-logging-otlp.txt': 3, 'java-otlp-stdout.txt': 1 })) {
  test(`output of Java exporters is decoded: ${name}`, () => {
    const { spans, notes } = decodeBytes(readFixture(name));
    assert.deepEqual(spans.map(isParentRemote), [true, false]);
    assert.deepEqual(notes, [`lines without a span, left out: ${otherLines}`]);
    const { verdict, edges } = checkTraces(spans);
    assert.deepEqual(
      [verdict, edges.map(({ client, server }) => [client, server])],
      ['intact', [['web', 'orders']]],
    );
  });
}

test("a log that begins like one of this tool's files is read as a log", () => {
  for (const word of ['run', 'source', 'audit', 'edges', 'wire', 'known']) {
    const log = `${word}: starting the server\n${readFixture('js-console.txt').toString()}`;
    assert.equal(decodeBytes(Buffer.from(log)).spans.length, 3, word);
  }
});

test('every field that JavaScript prints of a span is read', () => {
  const [server, client, root] = decodeBytes(readFixture('js-console.txt')).spans;
  assert.equal(server?.traceState, 'k=v');
  assert.deepEqual(server?.status, { code: 'ERROR', message: 'no "order"' });
  assert.deepEqual(client?.links, [
    { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' },
  ]);
  assert.equal(root?.attributes.get('user_agent.original'), 'it\'s "curl"');
  assert.deepEqual(root?.resource.get('process.command_args'), ['node', 'server.js']);
});

const inspected: readonly (readonly [string, unknown])[] = [
  [
    "{ a: 'x', 'b.c': \"it's\", d: `'\"`, e: 'a\\n\\x1b\\u00e4\\'' }",
    { a: 'x', 'b.c': "it's", d: `'"`, e: "a\n\u001bä'" },
  ],
  ["{ a: 'one\\n' +\n    'two', b: 'long'... 12 more characters }", { a: 'one\ntwo', b: 'long' }],
  [
    '{ a: -1.5e+21, b: 12n, c: NaN, d: -0, e: true, f: null, g: undefined }',
    { a: -1.5e21, b: '12', c: Number.NaN, d: -0, e: true, f: null, g: undefined },
  ],
  ['[ 1, 2, ... 20 more items ]', [1, 2]],
  [
    '{ a: [Object], b: [Array], c: [TraceStateImpl], d: [Function: x], e: [Circular *1] }',
    { a: undefined, b: undefined, c: undefined, d: undefined, e: undefined },
  ],
  [
    "<ref *1> Span { m: Map(1) { 'k' => 'v' }, o: [Object: null prototype] { x: 1 }, ['__proto__']: 2 }",
    JSON.parse('{"m":{"k":"v"},"o":{"x":1},"__proto__":2}'),
  ],
  ['{ a: [], b: {}, c: [ {}, [] ], d: [true], }', { a: [], b: {}, c: [{}, []], d: [true] }],
];

for (const [text, value] of inspected) {
  test(`a value printed by console.dir is read: ${text.slice(0, 40)}`, () =>
    assert.deepEqual(readInspectedValue(text), value));
}

test('text that console.dir does not print is refused with its position', () => {
  assert.throws(() => readInspectedValue('{ a: b }'), {
    message: 'character 5: not a value as console.dir prints it, at "b }"',
  });
  assert.throws(() => readInspectedValue('{ a 1 }'), { message: /^character 4: expected a colon/ });
  assert.throws(() => readInspectedValue('{ a: 1 b: 2 }'), { message: /^character 7: expected a comma/ });
  assert.throws(() => readInspectedValue('{} {}'), { message: /^character 3: more behind the end/ });
  assert.throws(() => readInspectedValue(`${'[ '.repeat(200)}`), {
    message: /nested deeper than 100 levels/,
  });
});

test('a span without a resource is refused, because its service is unknown', () => {
  const text =
    "{\n  traceId: '0af7651916cd43dd8448eb211c80319c',\n  parentId: undefined,\n  name: 'GET',\n  id: 'b7ad6b7169203331',\n  kind: 2,\n  timestamp: 1,\n  duration: 1,\n  attributes: {}\n}\n";
  assert.throws(() => decodeBytes(Buffer.from(text)), {
    message: /^line 1: resource: .* an older JavaScript SDK .* export OTLP$/,
  });
});

test('spans without times are refused', () => {
  const text = Buffer.from(readFixture('go-console.txt'))
    .toString()
    .replace(/"StartTime": "[^"]*"/, '"StartTime": "0001-01-01T00:00:00Z"');
  assert.throws(() => decodeBytes(Buffer.from(text)), { message: /^line 2: StartTime: .*WithoutTimestamps/ });
});

test('lines without spans are counted for each program, and a line may contain other line breaks', () => {
  const ofWeb = readFixture('js-console.txt').toString().replaceAll('\n', '\nweb-1  | ');
  const text = `db-1   | 10 %\r20 %\u2028ready\njobs-1 | {\nweb-1  | ${ofWeb}`;
  assert.deepEqual(decodeBytes(Buffer.from(text)).notes, [
    'db-1: lines without a span, left out: 1',
    'jobs-1: lines without a span, left out: 1; what begins in line 1 is cut off, and may be a span',
    'web-1: lines without a span, left out: 8',
  ]);
});

const jsLines = readFixture('js-console.txt').toString().trimEnd().split('\n');
const behind = (prefix: string, lines: readonly string[] = jsLines): string =>
  lines.map((line) => `${prefix}${line}\n`).join('');
const at = (index: number): string => `2026-11-01T10:00:00.${String(index).padStart(9, '0')}Z`;
const withTimes = jsLines.map((line, index) => `${at(index)} ${line}`);

/** Logs of several programs, of which one printed spans, with the number of lines that no program printed. */
const prefixed: Readonly<Record<string, readonly [log: string, name: string, others: number]>> = {
  'docker compose up': [
    `[+] Running 2/2\n ✔ Container web-1  Created\nAttaching to db-1, web-1\n\n${behind('web-1  | ')}Gracefully stopping... (press Ctrl+C again to force)\nweb-1 exited with code 0\n`,
    'web-1',
    5,
  ],
  'docker compose logs --timestamps': [behind('web-1  | ', withTimes), 'web-1', 0],
  'docker compose logs in colours': [
    jsLines.map((line) => `\u001b[36mweb-1  | \u001b[0m${line}\n`).join(''),
    'web-1',
    0,
  ],
  'docker compose logs without blanks at the ends of lines': [
    behind('web-1  | ').replace(/[^\S\n]+$/gm, ''),
    'web-1',
    0,
  ],
  'docker service logs': [behind('web.1.k7d2@node-1    | '), 'web.1.k7d2@node-1', 0],
  'docker service logs --timestamps': [
    jsLines.map((line, index) => `${at(index)} web.1.k7d2@node-1    | ${line}\n`).join(''),
    'web.1.k7d2@node-1',
    0,
  ],
  'kubectl logs --prefix': [
    `==> app=web <==\n${behind('[pod/web-5d8f-x2c9k/web] ')}`,
    'pod/web-5d8f-x2c9k/web',
    1,
  ],
  'kubectl logs --prefix --timestamps': [
    `error: you are attempting to follow 6 log streams\n${behind('[pod/web-0/web] ', withTimes)}`,
    'pod/web-0/web',
    1,
  ],
  stern: [`+ web-5d8f7c9b6-x2c9k › web\n${behind('web-5d8f7c9b6-x2c9k web ')}`, 'web-5d8f7c9b6-x2c9k web', 1],
  'stern in colours': [
    jsLines.map((line) => `\u001b[32mweb-0\u001b[0m \u001b[32mweb\u001b[0m ${line}\n`).join(''),
    'web-0 web',
    0,
  ],
  'stern --timestamps': [behind('web-5d8f7c9b6-x2c9k web ', withTimes), 'web-5d8f7c9b6-x2c9k web', 0],
  'stern --all-namespaces': [behind('shop web-5d8f7c9b6-x2c9k web '), 'shop web-5d8f7c9b6-x2c9k web', 0],
};

for (const [name, [log, program, others]] of Object.entries(prefixed)) {
  test(`lines are told apart by the names in front of them: ${name}`, () => {
    const { spans, notes } = decodeBytes(Buffer.from(log));
    assert.equal(spans.length, 3);
    assert.deepEqual(notes, [
      `${program}: lines without a span, left out: 8`,
      ...(others === 0 ? [] : [`lines without a span, left out: ${others}`]),
    ]);
  });
}

test('the times of docker logs --timestamps are not part of the lines', () => {
  const { spans, notes } = decodeBytes(Buffer.from(behind('', withTimes)));
  assert.equal(spans.length, 3);
  assert.deepEqual(notes, ['lines without a span, left out: 8']);
});

test('spans in the lines without a name are read too, and a part of a span there is refused', () => {
  const [request = ''] = readFixture('java-otlp-stdout.txt')
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('{'));
  const ofWeb = behind('web-1  | ');
  assert.equal(decodeBytes(Buffer.from(`${ofWeb}${request}\n`)).spans.length, 4);
  assert.throws(() => decodeBytes(Buffer.from(`${ofWeb}${request.slice(20)}\n`)), {
    message: /^line \d+: a part of a span/,
  });
});

test('lines that have a name by chance are not taken from the others', () => {
  const log = `web-1 | a\n${jsLines.join('\n')}\nlistening-5 on port 80\n`;
  assert.deepEqual(decodeBytes(Buffer.from(log)).notes, ['lines without a span, left out: 10']);
});

for (const name of ['js-console.txt', 'python-console.txt', 'go-console.txt']) {
  test(`${name} cut off anywhere within its last span: the line is reported`, () => {
    const text = Buffer.from(readFixture(name)).toString();
    const whole = decodeBytes(Buffer.from(text)).spans.length;
    const start = text.lastIndexOf('\n{') + 1;
    const line = text.slice(0, start).split('\n').length;
    for (let end = start + 1; end < text.lastIndexOf('\n}') + 2; end += 7) {
      const cut = Buffer.from(text.slice(0, end));
      try {
        const { spans, notes = [] } = decodeBytes(cut);
        assert.equal(spans.length, whole - 1);
        assert.match(notes.join(), new RegExp(`what begins in line ${line} is cut off, and may be a span$`));
        // Before its first key it may be any object.
        assert.match(text.slice(start, end), /^\{\s*"?\w*"?$/);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        assert.match(error.message, new RegExp(`^line ${line}: the span that begins here is cut off`));
      }
    }
  });
}

const ofLogger = '{\n    "name": "cache",\n    "entries": 12,\n    "of": {\n        "a": 1';
const pythonOutput = readFixture('python-console.txt').toString();

test('another object that begins like a span and is cut off is counted', () => {
  const atEnd = decodeBytes(Buffer.from(`${pythonOutput}${ofLogger}\n`));
  assert.deepEqual([atEnd.spans.length, atEnd.notes], [3, ['lines without a span, left out: 8']]);
  const between = decodeBytes(Buffer.from(`${ofLogger},\n${pythonOutput}`));
  assert.deepEqual([between.spans.length, between.notes], [3, ['lines without a span, left out: 8']]);
});

test('a span that is cut off between others is refused with its line', () => {
  const cut = pythonOutput.slice(pythonOutput.indexOf('{\n')).split('\n').slice(0, 2).join('\n');
  for (const name of [cut, `${cut}\n    "context": {`])
    assert.throws(() => decodeBytes(Buffer.from(`a\n${name}\n${pythonOutput}`)), {
      message: /^line 2: the span that begins here is cut off/,
    });
});

test('an object that is cut off in a list does not take the spans behind it', () => {
  for (const end of [
    '"entries": [',
    '"entries": [\n        {\n            "a": 1\n        },',
    '"entries": [\n        "a"',
  ]) {
    const cut = `{\n    "cache": "a",\n    ${end}\n`;
    const { spans, notes = [] } = decodeBytes(Buffer.from(`a\n${cut}${pythonOutput}`));
    assert.equal(spans.length, 3, end);
    assert.match(notes.join(), /what begins in line 2 is cut off/);
  }
  const list = '[\n{"a": [\n{},\n{}\n]},\n{"a": 1}\n]\n';
  const { spans, notes = [] } = decodeBytes(Buffer.from(`a\n${list}${pythonOutput}`));
  assert.deepEqual([spans.length, notes], [3, ['lines without a span, left out: 11']]);
});

test('ordinary lines that look like names of stern are no programs', () => {
  const log = Array.from({ length: 400 }, (_, at) => `request-${at * 7} handled\n`).join('');
  assert.deepEqual(decodeBytes(Buffer.from(`${log}${readFixture('js-console.txt')}`)).notes, [
    'lines without a span, left out: 408',
  ]);
});

test('many objects that are cut off among many spans are read in linear time', () => {
  const span = `{
  resource: { attributes: { 'service.name': 'web' } },
  traceId: '0af7651916cd43dd8448eb211c80319c',
  name: 'GET',
  id: 'b7ad6b7169203331',
  kind: 2,
  timestamp: 1,
  duration: 1,
  attributes: {}
}
`;
  const log = `${span}{\n  resource: 'cpu',\n  used: 1,\n`.repeat(20_000);
  const { spans, notes } = decodeBytes(Buffer.from(log));
  assert.deepEqual([spans.length, notes], [20_000, ['lines without a span, left out: 60000']]);
});

/** Texts on which a quadratic algorithm takes hours and recursion exceeds the stack. */
const hostile: Readonly<Record<string, string>> = {
  'blocks that never close': `a\n${'{\n'.repeat(2_000_000)}`,
  'spans that never close': 'x {"resource": [\n'.repeat(200_000),
  'empty lines in an object': `a\n{${'\n'.repeat(200_000)}`,
  'carriage returns in an object': `a\n{\n${'\r'.repeat(200_000)}`,
  'empty lines': `a${'\n'.repeat(5_000_000)}`,
  'beginnings of what loggers print': `a\n${'[tracer: '.repeat(1_000_000)}`,
  'columns of a log': `trace_id,${'a,'.repeat(2_000_000)}{`,
  'lists in lists': `a\n${'['.repeat(1_000_000)}{}${']'.repeat(1_000_000)}`,
  'braces of a line': `a\n${'{ '.repeat(2_000_000)}`,
};

for (const [name, log] of Object.entries(hostile)) {
  test(`hostile text is refused in linear time: ${name}`, () => {
    assert.throws(() => decodeBytes(Buffer.from(log)), { name: 'DecodeError' });
  });
}

test('log lines with ids are not taken for spans', () => {
  const log =
    '{"level":"info","msg":"created","parent_id":7,"traceId":"a"}\nINFO parent_id=7 {"parent_id": 7}\n';
  const { spans, notes } = decodeBytes(Buffer.concat([Buffer.from(log), readFixture('python-console.txt')]));
  assert.deepEqual([spans.length, notes], [3, ['lines without a span, left out: 5']]);
});

test("output of .NET's console exporter is read between similar log lines", () => {
  const text = `Activity.TraceId:            0af7651916cd43dd8448eb211c80319c
Activity.SpanId:             b7ad6b7169203331
Activity.TraceFlags:         Recorded
Activity.DisplayName:        GET
Activity.Kind:               Client
Activity.StartTime:          2026-11-01T10:00:00.0000001Z
Activity.Duration:           1.00:00:00.0100000
Activity.Tags:
    db.statement: SELECT 1

      FROM a
    server.address: orders
StatusCode: Error
Activity.StatusDescription:  refused
Activity.Links:
    0af7651916cd43dd8448eb211c80319d b7ad6b7169203332
Order placed
Instrumentation scope (ActivitySource):
    Name: System.Net.Http
    Tags:
        Name: other
Resource associated with Activity:
    service.name: web

info: Microsoft.AspNetCore.HttpLogging.HttpLoggingMiddleware[2]
      StatusCode: 200
      StatusCode: OK
Activity.Kind: of a program
`;
  const { spans, notes } = decodeBytes(Buffer.from(text));
  assert.deepEqual(notes, ['lines without a span, left out: 5']);
  const [span] = spans;
  assert.ok(span);
  const { status, kind, scopeName, attributes, startTimeUnixNano, endTimeUnixNano } = span;
  assert.deepEqual(
    [status, kind, scopeName],
    [{ code: 'ERROR', message: 'refused' }, 'CLIENT', 'System.Net.Http'],
  );
  assert.deepEqual([...attributes.keys()], ['db.statement', 'server.address']);
  assert.equal(attributes.get('server.address'), 'orders');
  assert.equal(span.links.length, 1);
  assert.equal(startTimeUnixNano, 1_793_527_200_000_000_100n);
  assert.equal(endTimeUnixNano - startTimeUnixNano, 86_400_010_000_000n);
});

test("output of the Collector's debug exporter is read before messages of metrics and logs", () => {
  const time = '2026-11-01T10:00:00.000Z\tinfo\t';
  const of = (service: string) =>
    `Resource SchemaURL: \nResource attributes:\n     -> service.name: Str(${service})\n`;
  const end = '\t{"otelcol.component.id": "debug"}\n';
  const text = `${debugMessage(end)}${time}ResourceMetrics #0
${of('orders')}${end}${time}ResourceLog #0
${of('payments')}ScopeLogs #0
LogRecord #0
Attributes:
     -> http.request.method: Str(POST)
${end}`;
  const { spans, notes } = decodeBytes(Buffer.from(text));
  const [span] = spans;
  assert.equal(span?.serviceName, 'web');
  assert.equal(span?.attributes.get('http.request.method'), 'GET');
  assert.deepEqual(notes, ['lines without a span, left out: 14']);
});

const dotnetSpan = `Activity.TraceId:            0af7651916cd43dd8448eb211c80319c
Activity.SpanId:             b7ad6b7169203331
Activity.Kind:               Server
Activity.StartTime:          2026-11-01T10:00:00.0000000Z
Activity.Duration:           00:00:00.0100000
Activity.Tags:
    db.statement: SELECT 1
FROM a
Activity.Events:
    exception [11/1/2026 10:00:00 AM +00:00]
        exception.stacktrace: System.Exception: no
--- End of stack trace from previous location ---
Resource associated with Activity:
    service.name: web

`;
const end = '\t{"otelcol.component.id": "debug"}\n';
const stackTrace = `${debugMessage('')}Events:
SpanEvent #0
     -> Name: exception
     -> Timestamp: 2026-11-01 10:00:00 +0000 UTC
     -> DroppedAttributesCount: 0
     -> Attributes::
          -> exception.stacktrace: Str(java.lang.Error: no
\tat a.B(B.java:1)
Caused by: x)
`;

/** Lines of text that hold no span, before, between and behind spans. Each has the number of lines that are not parts of its spans. */
const amongOthers: Readonly<Record<string, readonly [text: string, spans: number, others: number]>> = {
  '.NET, spans alone': [dotnetSpan.repeat(2), 2, 0],
  '.NET, the end of a span at the beginning': [`${dotnetSpan.replace(/^.*\n/, '')}${dotnetSpan}`, 1, 13],
  '.NET, other lines between': [`a\n${dotnetSpan}\ninfo: b[0]\n      c\n${dotnetSpan}d\n`, 2, 4],
  '.NET, a line among the fields': [
    dotnetSpan.replace('Activity.Kind', 'info: a[0]\n  b\nActivity.Kind'),
    1,
    2,
  ],
  '.NET, and spans of another program': [`${dotnetSpan}a\n${readFixture('python-console.txt')}`, 4, 4],
  'debug, a message alone': [debugMessage(end), 1, 0],
  'debug, a message without the logger': [debugMessage(''), 1, 0],
  'debug, a value of several lines': [`${stackTrace}${end}`, 1, 0],
  'debug, a value that looks like an end': [
    debugMessage(`     -> body: Str(\n\t{\n\t}\n)\n${end}`).replace(
      'Attributes:',
      '$&\n     -> a: Str(\n\t{}\n  )',
    ),
    1,
    0,
  ],
  'debug, a part of a span in a value of a log record': [
    `${debugMessage(end)}\tResourceLog #0\nLogRecord #0\nAttributes:\n     -> a: Str({"parent_id": null)\n${end}`,
    1,
    5,
  ],
  'debug, other lines between': [`a\n${debugMessage(end)}b\n  c\n\n${debugMessage(end)}d\n`, 2, 4],
  'debug, a log line behind a message without the logger': [
    `${debugMessage('')}2026-11-01T10:00:00.000Z\tinfo\tTraces\t{"spans": 1}\n  a\n`,
    1,
    2,
  ],
  'debug, other text behind a message without the logger': [`${debugMessage('')}listening\n`, 1, 1],
  'debug, and spans of another program': [`${debugMessage(end)}${readFixture('python-console.txt')}`, 4, 3],
};

for (const [name, [text, count, others]] of Object.entries(amongOthers)) {
  test(`lines that hold no span are counted: ${name}`, () => {
    const { spans, notes = [] } = decodeBytes(Buffer.from(text));
    assert.equal(spans.length, count);
    assert.deepEqual(
      notes.filter((note) => !note.startsWith('it mixes')),
      others === 0 ? [] : [`lines without a span, left out: ${others}`],
    );
  });
}
