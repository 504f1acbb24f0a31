import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { PropagationFormat } from '../../src/headers/evidence.ts';
import { formats, idHeaders } from '../../src/headers/propagation-header.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { checkDrawing } from '../engine/read-fixture-drawing.ts';
import { drawChain, drawClient, drawServer, guessCause, judgeDrawing } from '../rules/judge-drawing.ts';

/** By format, a valid value of its id header, for trace 1 and the CLIENT span of the call. */
const values: Readonly<Record<PropagationFormat, string>> = {
  tracecontext: '00-<1>-<call>-01',
  b3: '<1>-<call>-1',
  b3multi: '<1>',
  jaeger: '<1>:<call>:0:1',
  xray: 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1',
  'grpc-trace-bin': 'AAAKMQyCDm9DRoiM0dlO2JmJATm/t1RZGlMMAgE=',
  datadog: '1234567890123456789',
  sentry: '<1>-<call>-1',
  gcp: '<1>/1;o=1',
  elastic: '00-<1>-<call>-01',
  skywalking: '1-TRACE-SEGMENT-3-c2VydmljZQ==-aQ==-ZQ==-dA==',
  newrelic: 'eyJ2IjpbMCwxXX0=',
  'request-id': '|4711.1.',
};

type Recorded = Readonly<Record<string, string>>;

/** A split call, with the headers that each side recorded. */
function drawCall(sent: Recorded, received: Recorded, family = 'http.request.header.'): string {
  const show = (recorded: Recorded): string =>
    Object.entries(recorded)
      .map(([name, value]) => `${family}${name}=${value}`)
      .join(' ');
  return [
    'expect web -> orders',
    drawChain(1, drawClient({ from: 10, to: 90, extra: `id:call ${show(sent)}` })),
    drawChain(2, drawServer({ from: 20, to: 80, extra: show(received) })),
  ].join('\n');
}

const traceparent = values.tracecontext;
const none = '[]';
const noneOfAny = Object.fromEntries(formats.map((format) => [idHeaders[format], none]));
const other = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** Values that redactors write. */
const redacted = [
  ...['[REDACTED]', '[Filtered]', '***', '00-<1>-****-01', '?', '[masked_email]', '[Redacted]', '[ip]', ''],
  ...['d41d8cd98f00b204e9800998ecf8427e', 'DA39A3EE5E6B4B0D3255BFEF95601890AFD80709'],
  ...['00-da39a3ee5e6b4b0d3255bfef95601890afd80709-<call>-01', 'xxxx', 'q83vEjRWeJA='],
];

/** Redacted values, and beginnings of a valid value. */
const hiddenValues = [
  ...redacted,
  ...['00-<1>-<call>-0', '00-<1>-<call>', '00-<1>-', '00-0af7', '00-0af7651916cd43dd...'],
];

suite('headers that both sides recorded name the cause', () => {
  for (const [cause, sent, received] of [
    ['header-stripped', { traceparent }, { traceparent: none }],
    ['header-stripped', { traceparent }, { ...noneOfAny, 'request-id': '4711' }],
    ['header-stripped', { b3: values.b3 }, noneOfAny],
    ['header-not-sent', noneOfAny, {}],
    ['header-not-sent', noneOfAny, noneOfAny],
    ['header-malformed', { traceparent }, { traceparent: '<1>-<call>-01' }],
    ['header-malformed', { traceparent }, { traceparent: '00-0AF7651916CD43DD8448EB211C80319C-<call>-01' }],
    ['header-malformed', { traceparent }, { traceparent: `00-${'0'.repeat(32)}-<call>-01` }],
    ['header-malformed', { traceparent }, { traceparent: '00-undefined-undefined-01' }],
    ['header-malformed', { traceparent }, { traceparent: '00-<1>-<call>-01-x' }],
    ['header-duplicated', { traceparent }, { traceparent: '["00-<1>-<call>-01","00-<1>-<call>-01"]' }],
    ['header-duplicated', { traceparent }, { traceparent: '"00-<1>-<call>-01, 00-<1>-<call>-01"' }],
    ['header-rewritten', { traceparent }, { traceparent: other }],
    ['header-ignored', { traceparent }, { traceparent }],
    ['format-mismatch', { traceparent: none, b3: values.b3 }, { traceparent: none, b3: values.b3 }],
  ] satisfies [string, Recorded, Recorded][]) {
    test(`${cause}: ${JSON.stringify(sent)} left, ${JSON.stringify(received)} arrived`, () => {
      assert.deepEqual(judgeDrawing(drawCall(sent, received)), [`error ${cause} web -> orders 1`]);
    });
  }
});

suite('what one side did not record stays undecided', () => {
  for (const [why, best, sent, received] of [
    ['nobody recorded other formats', 'header-stripped', { traceparent: none }, { traceparent: none }],
    ['a hop may have taken a traceparent', 'format-mismatch', {}, { traceparent: none, b3: values.b3 }],
    [
      'a hop may have taken a traceparent: both sides recorded',
      'format-mismatch',
      { b3: values.b3 },
      { traceparent: none, b3: values.b3 },
    ],
    ['nobody recorded traceparent', 'format-mismatch', {}, { b3: values.b3 }],
    [
      'nobody recorded traceparent: a format without parsed ids',
      'format-mismatch',
      {},
      { 'request-id': '|<1>.<call>.' },
    ],
    [
      'nobody recorded traceparent: ids in capitals',
      'format-mismatch',
      {},
      { 'request-id': '|FEEDFACECAFEBEEF0000000000000001.1.' },
    ],
    [
      'nobody recorded traceparent: half of the trace id',
      'format-mismatch',
      {},
      { b3: '0000000000000001-b7ad6b7169203331-1' },
    ],
    ['the header is of another call', 'header-stripped', {}, { b3: '0af7651916cd43dd-b7ad6b7169203331-1' }],
    [
      'the header is of another call: a format without parsed ids',
      'header-stripped',
      {},
      { 'request-id': '|4711.1.' },
    ],
    [
      'a traceparent came beside it',
      'header-stripped',
      { b3: values.b3 },
      { traceparent: other, b3: values.b3 },
    ],
    ['a traceparent left beside it', 'header-stripped', { traceparent }, { b3: values.b3 }],
    ['nobody recorded what arrived', 'header-stripped', { traceparent }, {}],
    ...hiddenValues.map((value): [string, string, Recorded, Recorded] => [
      'the value was hidden',
      // The equal trace id shows that the context arrived.
      value.includes('<1>') && !value.includes('*') ? 'header-ignored' : 'header-stripped',
      { traceparent },
      { traceparent: value },
    ]),
  ] satisfies [string, string, Recorded, Recorded][]) {
    test(`${why}: ${JSON.stringify(sent)} left, ${JSON.stringify(received)} arrived`, () => {
      const drawing = drawCall(sent, received).replace('orders:8082', 'gateway:8080');
      assert.deepEqual(judgeDrawing(drawing), ['error split-trace web -> orders 1']);
      assert.equal(guessCause(drawing), best);
      assert.equal(tellsOfOtherFormat(drawing), best === 'format-mismatch');
    });
  }

  for (const value of redacted)
    test(`a traceparent came beside another format, hidden as ${JSON.stringify(value)}`, () => {
      const beside = drawCall({}, { b3: values.b3, traceparent: value });
      assert.equal(guessCause(beside), 'header-stripped');
      assert.match(describeFirst(beside), /with a traceparent whose value no record shows/);
    });

  test('if the callee has another parent, it may have read the header of another format', () => {
    const split = drawCall({}, { b3: values.b3 });
    const orphan = split.replace('trace 2\n  orders', 'trace 2\n  lost\n    orders');
    assert.deepEqual([split, orphan].map(tellsOfOtherFormat), [true, false]);
  });
});

/** Whether the finding says that a format other than Trace Context carried the ids of the call. */
function tellsOfOtherFormat(drawing: string): boolean {
  return describeFirst(drawing).includes('brought the ids of the call');
}

function describeFirst(drawing: string): string {
  const { spans, expectation } = readDrawing(drawing);
  const [finding] = checkTraces(spans, { expectation }).findings;
  return finding?.evidence[0]?.says ?? '';
}

suite('the beginning of a valid traceparent', () => {
  const cut = drawCall({ traceparent }, { traceparent: '00-<1>-<call>' });
  const agent = `user_agent.original=${'agent'.repeat(11)}`;

  test('is malformed if the same process records longer texts', () => {
    const other = drawChain(3, drawServer({ from: 110, to: 120, extra: agent }));
    assert.deepEqual(judgeDrawing(cut + other), ['error header-malformed web -> orders 1']);
  });

  test('may be cut if only other processes record longer texts', () => {
    const other = drawChain(3, drawServer({ from: 110, to: 120, extra: `resource:host.name=two ${agent}` }));
    assert.deepEqual(judgeDrawing(cut + other), ['error split-trace web -> orders 1']);
  });

  test('may be cut if other texts are not longer', () => {
    const other = drawChain(3, drawServer({ from: 110, to: 120, extra: agent.slice(0, -3) }));
    assert.deepEqual(judgeDrawing(cut + other), ['error split-trace web -> orders 1']);
  });
});

suite('every format is read under every name that an instrumentation gives', () => {
  for (const format of formats.filter((one) => one !== 'tracecontext')) {
    test(`a caller that sends only ${format} does not fail to send`, () => {
      const sent = { [idHeaders[format]]: values[format], traceparent: none };
      assert.deepEqual(judgeDrawing(drawCall({ ...noneOfAny, ...sent }, { ...noneOfAny, ...sent })), [
        'error format-mismatch web -> orders 1',
      ]);
    });
  }

  for (const format of formats.filter((one) => one !== 'tracecontext')) {
    test(`nor at a tap: ${format}`, () => {
      const header = `${idHeaders[format]}=${values[format]}`;
      const more = format === 'b3multi' ? ' x-b3-spanid=<call>' : '';
      const tap = `tap 15..85 GET /work 200 sent ${header}${more} received ${header}${more}`;
      assert.deepEqual(judgeDrawing(`${drawCall({}, {})}${tap}`), ['error format-mismatch web -> orders 1']);
    });
  }

  test('nor at a tap whose place is unknown: there it is the least likely cause', () => {
    const header = `sentry-trace=${values.sentry}`;
    const tap = `tap somewhere 15..85 GET /work 200 sent ${header} received ${header}`;
    const [finding] = checkDrawing(`${drawCall({}, {})}${tap}`).findings;
    assert.equal(finding?.candidates?.at(-1), 'header-not-sent');
  });

  for (const family of [
    'http.request.header.',
    'rpc.request.metadata.',
    'rpc.grpc.request.metadata.',
    'rpc.connect_rpc.request.metadata.',
    'messaging.header.',
  ]) {
    test(family, () => {
      assert.deepEqual(judgeDrawing(drawCall({ traceparent }, { traceparent: none }, family)), [
        'error header-stripped web -> orders 1',
      ]);
    });
  }

  test('with the underscores of older conventions, and in capitals', () => {
    const sent = { X_Amzn_Trace_Id: values.xray, Traceparent: none };
    assert.deepEqual(judgeDrawing(drawCall(sent, sent)), ['error format-mismatch web -> orders 1']);
  });
});

suite('a service that records headers on other spans proves that there were none', () => {
  const earlier = (extra: string, received = '') =>
    [
      'trace 3',
      `  ${drawClient({ from: -90, to: -10, extra: `id:before ${extra}` })}`,
      `    ${drawServer({ from: -80, to: -20, extra: received })}`,
      '',
    ].join('\n');
  const recorded = 'http.request.header.traceparent=00-<3>-<before>-01';
  const inOneProcess = (drawing: string): string =>
    drawing.replaceAll(/ (CLIENT|SERVER) ("[^"]*" \S+)/g, ' $1 $2 resource:process.pid=7');

  test('the caller sent nothing', () => {
    assert.deepEqual(judgeDrawing(inOneProcess(drawCall({}, {}) + earlier(recorded))), [
      'error header-not-sent web -> orders 1',
    ]);
  });

  test('nothing arrived', () => {
    assert.deepEqual(
      judgeDrawing(inOneProcess(drawCall({ traceparent }, {}) + earlier(recorded, recorded))),
      ['error header-stripped web -> orders 1'],
    );
  });

  test('not for a span whose attributes a limit of the SDK dropped', () => {
    const dropped = 'otel.dropped_attributes_count=1';
    const calls = [
      drawCall({}, {}).replace('id:call', `id:call ${dropped}`) + earlier(recorded),
      drawCall({ traceparent }, {}).replace('server.port=8082', dropped) + earlier(recorded, recorded),
    ];
    for (const call of calls)
      assert.deepEqual(judgeDrawing(inOneProcess(call)), ['error split-trace web -> orders 1']);
  });

  test('not if one resource may have several replicas, of which another records nothing', () => {
    const drawing = drawCall({ traceparent }, {}) + earlier(recorded, recorded);
    assert.deepEqual(judgeDrawing(drawing), ['error split-trace web -> orders 1']);
  });

  test('not if calls are recorded before the instrumentation injects its own header', () => {
    const byHand = earlier(`http.request.header.traceparent=${other}`, recorded);
    assert.deepEqual(judgeDrawing(inOneProcess(drawCall({}, {}) + byHand)), [
      'error split-trace web -> orders 1',
    ]);
    const arrived = drawCall({ traceparent: other }, { traceparent });
    assert.deepEqual(judgeDrawing(arrived), ['error header-ignored web -> orders 1']);
  });

  test('not for a call without an answer, whose headers may never have been sent', () => {
    const aborted = drawCall({}, {}).replace('http.response.status_code=200', '');
    assert.deepEqual(judgeDrawing(inOneProcess(aborted + earlier(recorded))), [
      'error split-trace web -> orders 1',
    ]);
  });

  test('not if a value was hidden', () => {
    const hidden = drawCall({ traceparent }, { traceparent: '[REDACTED]' });
    assert.deepEqual(judgeDrawing(inOneProcess(hidden + earlier(recorded, recorded))), [
      'error split-trace web -> orders 1',
    ]);
  });

  for (const [why, before] of [
    ['of another scope', earlier(`scope:other ${recorded}`)],
    ['of another process', earlier(`resource:service.instance.id=2 ${recorded}`)],
    [
      'later, as after a new start',
      earlier(recorded).replaceAll('-90..-10', '110..190').replaceAll('-80..-20', '120..180'),
    ],
    [
      'beside one that carried a context and has no record',
      earlier(recorded) + earlier('').replace('trace 3', 'trace 4').replace('id:before', ''),
    ],
    ['of another kind', drawChain(3, `web SERVER "GET /" -95..-5 id:before ${recorded}`)],
  ] satisfies [string, string][]) {
    test(`not ${why}`, () => {
      assert.deepEqual(judgeDrawing(inOneProcess(drawCall({}, {}) + before)), [
        'error split-trace web -> orders 1',
      ]);
    });
  }
});
