import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DrawingError, readDrawing } from './read-drawing.ts';

test('a drawing gives spans, expectation and header evidence', () => {
  const { spans, expectation, headers } = readDrawing(`
expect web -> orders -> stock  # a path
must-not orders -> web
baggage hello=world
tolerate legacy
trace 1
  web      SERVER "GET /call" 0..100.5 url.path=/call server.port=8081 note="two words" flags:0x301 status:ERROR
    lost
      -    INTERNAL "work" -1..2 link:cut scope:by-hand resource:host.name=a
trace 1/64
  orders   SERVER "GET /work" 20..80 id:cut
tap 12..88.5 GET /work 200 sent traceparent=00-<1>-<cut>-01 baggage="a=1, b=2" received -
said cut -
`);
  const [web, orphan, cut] = spans;
  assert.equal(spans.length, 3);
  assert.equal(web?.spanId, '0000000000000007');
  assert.equal(web?.traceId, 'feedfacecafebeef0000000000000001');
  assert.equal(web?.flags, 0x301);
  assert.equal(web?.status.code, 'ERROR');
  assert.equal(web?.endTimeUnixNano, 1_700_000_000_100_500_000n);
  assert.deepEqual(
    [...(web?.attributes ?? [])],
    [
      ['url.path', '/call'],
      ['server.port', 8081],
      ['note', 'two words'],
    ],
  );
  assert.equal(orphan?.parentSpanId, '0000000000000008');
  assert.equal(orphan?.serviceName, null);
  assert.equal(orphan?.startTimeUnixNano, 1_699_999_999_999_000_000n);
  assert.deepEqual(orphan?.links, [{ traceId: '0000000000000001', spanId: '0000000000000011' }]);
  assert.equal(orphan?.scopeName, 'by-hand');
  assert.equal(orphan?.resource.get('host.name'), 'a');
  assert.equal(cut?.parentSpanId, null);
  assert.deepEqual(
    expectation.edges.map(({ client, server, rule }) => `${rule} ${client} ${server}`),
    ['must web orders', 'must orders stock', 'must-not orders web'],
  );
  assert.deepEqual(expectation.baggage, { hello: 'world' });
  assert.deepEqual(expectation.toleratedPeers, ['legacy']);
  const [record] = headers.wire;
  assert.equal(record?.time, '2023-11-14T22:13:20.012Z');
  assert.equal(record?.durationMs, 76.5);
  assert.deepEqual(record?.sent.contexts[0], {
    format: 'tracecontext',
    state: 'valid',
    traceId: 'feedfacecafebeef0000000000000001',
    spanId: '0000000000000011',
    sampled: true,
  });
  assert.equal(record?.sent.baggage.length, 2);
  assert.deepEqual(record?.received?.headers, []);
  assert.deepEqual(headers.received, [
    { traceId: '0000000000000001', spanId: '0000000000000011', traceparent: null },
  ]);
});

const faults: readonly (readonly [what: string, drawing: string, message: string])[] = [
  ['no trace', '  a SERVER "x" 0..1', 'line 1: a span before the first "trace"'],
  ['no statement', 'a SERVER "x" 0..1', 'line 1: no statement begins with "a"'],
  ['odd indent', 'trace 1\n   a SERVER "x" 0..1', 'line 2: indent by two spaces a level'],
  ['too deep', 'trace 1\n    a SERVER "x" 0..1', 'line 2: indented deeper than a child'],
  ['kind', 'trace 1\n  a SERVANT "x" 0..1', 'line 2: "SERVANT" is no span kind'],
  ['name', 'trace 1\n  a SERVER x 0..1', 'line 2: the name x is not in double quotes'],
  ['quote', 'trace 1\n  a SERVER "x 0..1', 'line 2: a double quote is not closed'],
  ['times', 'trace 1\n  a SERVER "x" 0-1', 'line 2: "0-1" is not START..END in milliseconds'],
  ['too short', 'trace 1\n  a SERVER "x"', 'line 2: a span is SERVICE KIND "NAME" START..END'],
  ['attribute', 'trace 1\n  a SERVER "x" 0..1 key', 'line 2: "key" is not KEY=VALUE'],
  ['status', 'trace 1\n  a SERVER "x" 0..1 status:BAD', 'line 2: "BAD" is no status'],
  ['flags', 'trace 1\n  a SERVER "x" 0..1 flags:many', 'line 2: "many" is no number'],
  ['parent', 'trace 1\n  a SERVER "x" 0..1 parent:b', 'line 2: nothing has the label "b"'],
  ['link', 'trace 1\n  a SERVER "x" 0..1 link:b', 'line 2: no span has the label "b"'],
  [
    'label twice',
    'trace 1\n  a SERVER "x" 0..1 id:b\n  a SERVER "x" 0..1 id:b',
    'line 3: "b" is there twice',
  ],
  ['trace twice', 'trace 1\ntrace 1', 'line 2: "1" is there twice'],
  ['trace id', 'trace one', 'line 1: a trace has a number'],
  ['lost with times', 'trace 1\n  lost a=b', 'line 2: a lost span has nothing but an id'],
  ['path', 'expect a b', 'line 1: edges are written a -> b'],
  ['tap', 'tap 0..1 GET /x 200 sent -', 'line 1: a tap is START..END METHOD PATH STATUS'],
  ['said', 'trace 1\n  a SERVER "x" 0..1 id:b\nsaid b', 'line 3: what a service said'],
];

for (const [what, drawing, message] of faults) {
  test(`a fault is named with its line: ${what}`, () => {
    assert.throws(
      () => readDrawing(drawing),
      (error) => error instanceof DrawingError && error.message.startsWith(message),
    );
  });
}
