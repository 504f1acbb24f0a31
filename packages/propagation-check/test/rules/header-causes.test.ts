import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { checkDrawing } from '../engine/read-fixture-drawing.ts';
import { drawChain, drawClient, drawServer } from './judge-drawing.ts';

const client = drawClient({ from: 10, to: 90, extra: 'id:call' });
const split = drawChain(1, client) + drawChain(2, drawServer({ from: 20, to: 80, extra: 'id:request' }));
const valid = 'traceparent=00-<1>-<call>-01';
const foreign = 'traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const b3 = 'b3=<1>-<call>-1';

/** Each finding with the text of its first call. */
function listFindings(drawing: string): readonly string[] {
  return checkDrawing(`expect web -> orders\n${drawing}`)
    .findings.filter(({ severity }) => severity !== 'info')
    .map(({ id, candidates = [], evidence }) =>
      [`${id}:`, ...candidates.slice(0, 1), evidence[0]?.says].join(' '),
    );
}

/** The only finding of a split call whose headers a tap on the way recorded. */
function judgeTap(sent: string, received: string, { place = '', spans = split } = {}): string {
  const [found, ...others] =
    listFindings(`${spans}tap ${place}15..85 GET /work 200 sent ${sent} received ${received}
`);
  assert.deepEqual(others, []);
  return found ?? '';
}

suite('a tap to which both services are connected', () => {
  for (const [sent, received, expected] of [
    [valid, '-', /^header-stripped: the caller sent tracecontext, and no propagation header reached/],
    [`${valid} ${b3}`, b3, /^header-stripped: the caller sent tracecontext, b3, and only b3 reached/],
    [b3, '-', /^header-stripped: the caller sent b3, and no propagation header reached/],
    ['-', '-', /^header-not-sent: /],
    [b3, b3, /^format-mismatch: only b3 arrived, which the called service did not read/],
    [valid, valid, /^header-ignored: a valid traceparent with span id \d+ arrived/],
    [
      valid,
      foreign,
      /^header-rewritten: traceparent left with span id \d+ and arrived with b7ad6b7169203331/,
    ],
    [valid, 'traceparent=00-<2>-<call>-01', /^header-rewritten: traceparent left with span id/],
    [valid, 'traceparent=00-<1>', /^header-malformed: /],
    [valid, `${valid} ${valid}`, /^header-duplicated: /],
    // Something other than the caller wrote the header.
    ['-', valid, /^header-not-sent: /],
    [b3, `${b3} ${valid}`, /^header-ignored: /],
  ] as const) {
    test(`${sent} left, ${received} arrived`, () => {
      assert.match(judgeTap(sent, received), expected);
    });
  }

  test('distinguishes a header of another format, or of another span, from one that was ignored', () => {
    const orphan = `${drawChain(1, client)}trace 2\n  lost id:hop\n    ${drawServer({ from: 20, to: 80 })}\n`;
    assert.match(judgeTap(b3, b3, { spans: orphan }), /^split-trace: /);
    assert.match(
      judgeTap(valid, 'traceparent=00-<2>-<hop>-01', { spans: orphan }),
      /^header-rewritten: traceparent left with span id \d+ and arrived with \d+/,
    );
  });

  test('also decides for a call without a SERVER span', () => {
    const lost = { spans: drawChain(1, client) + drawChain(2, drawServer({ from: -80, to: -20 })) };
    assert.match(judgeTap(b3, b3, lost), /^format-mismatch: only b3 arrived/);
    assert.match(judgeTap(valid, valid.replace('-01', '-00'), lost), /^not-sampled: the sampled flag/);
    assert.match(judgeTap(valid, valid, lost), /^split-trace: /);
  });
});

suite('a tap behind the caller alone', () => {
  const place = 'behind-caller ';

  test('proves what was sent', () => {
    assert.match(judgeTap('-', '-', { place }), /^header-not-sent: /);
  });

  test('leaves open what arrived, and says where another tap would decide', () => {
    assert.match(
      judgeTap(b3, b3, { place }),
      /^split-trace: format-mismatch only b3 arrived.*a second tap directly in front of the called service decides/,
    );
    assert.match(
      judgeTap(valid, valid, { place }),
      /^split-trace: .*a second tap directly in front of the called service decides/,
    );
  });
});

test('a second tap without an id of the call does not revive a cause that the first excludes', () => {
  const tap = (place: string, at: string, headers: string): string =>
    `tap ${place} ${at} GET /work 200 sent ${headers} received ${headers}\n`;
  const { spans, expectation, headers } = readDrawing(
    `expect web -> orders\n${split}${tap('behind-caller', '15..85', valid)}${tap('somewhere', '17..83', '-')}`,
  );
  const wire = headers.wire.map((record, at) => ({ ...record, tap: `tap-${at}` }));
  const { findings } = checkTraces(spans, { expectation, headers: { ...headers, wire } });
  const [found, ...others] = findings.filter(({ severity }) => severity !== 'info');
  assert.deepEqual(others, []);
  assert.match(found?.evidence[0]?.says ?? '', /but no id shows that this record is of this call/);
  const { candidates = [] } = found ?? {};
  assert.ok(candidates.includes('header-stripped'));
  assert.ok(!candidates.some((cause) => cause === 'header-not-sent' || cause === 'client-not-instrumented'));
});

suite('the step that decides', () => {
  const listSteps = (drawing: string): readonly string[] => {
    return checkDrawing(`expect web -> orders\n${drawing}`).findings.flatMap(({ decide = [] }) => decide);
  };
  const tap = (place: string, sent: string, received: string) =>
    `tap ${place}15..85 GET /work 200 sent ${sent} received ${received}\n`;
  const atCaller = /^Let web call a tap instead of orders:8082/;
  const atCallee = /^Put a tap directly in front of orders/;

  test('is a tap at the caller if there is none', () => {
    assert.match(listSteps(split)[0] ?? '', atCaller);
  });

  test('is a tap on the other side of the existing tap', () => {
    assert.match(listSteps(split + tap('behind-caller ', valid, valid))[0] ?? '', atCallee);
    assert.match(listSteps(split + tap('behind-caller ', b3, b3))[0] ?? '', atCallee);
    assert.match(listSteps(split + tap('somewhere ', '-', '-'))[0] ?? '', atCaller);
  });

  test('is the step of the call that a tap saw, beside one that no tap saw', () => {
    const first =
      drawChain(3, drawClient({ from: -190, to: -110 })) + drawChain(4, drawServer({ from: -180, to: -120 }));
    assert.match(listSteps(first + split + tap('behind-caller ', valid, valid))[0] ?? '', atCallee);
  });
});

suite('headers that one service recorded exclude causes', () => {
  const listCandidates = (sent: string, received: string): readonly string[] => {
    const drawing =
      drawChain(1, drawClient({ from: 10, to: 90, extra: `id:call ${sent}` })) +
      drawChain(2, drawServer({ from: 20, to: 80, extra: received }));
    const { spans, expectation } = readDrawing(`expect web -> orders\n${drawing}`);
    return checkTraces(spans, { expectation }).findings.flatMap(({ candidates = [] }) => candidates);
  };
  const header = 'http.request.header.traceparent';
  const unsent = ['header-not-sent', 'client-not-instrumented', 'format-mismatch'];
  const arrived = ['header-malformed', 'header-duplicated', 'header-ignored', 'header-rewritten'];
  const others = ['header-stripped', 'server-not-instrumented'];

  test('a valid header was sent', () => {
    assert.deepEqual(
      listCandidates(`${header}=00-<1>-<call>-01`, '').toSorted(),
      [...arrived, ...others].toSorted(),
    );
  });

  test('no header arrived', () => {
    assert.deepEqual(listCandidates('', `${header}=[]`).toSorted(), [...unsent, ...others].toSorted());
  });

  test('nothing is recorded, or a malformed header', () => {
    const all = [...unsent, ...arrived, ...others].toSorted();
    assert.deepEqual(listCandidates('', '').toSorted(), all);
    assert.deepEqual(listCandidates(`${header}=00-<1>`, '').toSorted(), all);
  });
});

suite('a header that only the callee recorded', () => {
  const said = (traceparent: string) => listFindings(`${split}said request ${traceparent}\n`);

  test('names another span than the CLIENT span', () => {
    assert.match(
      said('00-<1>-b7ad6b7169203331-01').join(),
      /^header-rewritten: traceparent arrived with span id b7ad6b7169203331, not with that of CLIENT \d+;/,
    );
  });

  test('names the CLIENT span, and was ignored', () => {
    assert.match(said('00-<1>-<call>-01').join(), /^header-ignored: /);
  });

  test('did not arrive: whether it was sent is unknown', () => {
    assert.match(said('-').join(), /^split-trace: /);
  });
});
