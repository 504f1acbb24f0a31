import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Span } from 'propagation-check';
import { drawTrace, spanId, traceId } from 'propagation-check/test';
import type { Answer } from '../../assertion/answer.ts';
import type { Statement } from '../../assertion/statement.ts';
import { judgeStatements, type Mode } from '../../assertion/statements.ts';
import { healthyAnswer, splitAnswer } from './answers.ts';

const healthyAuto = drawTrace(`
  trace a
  SERVER service-a GET /call-b                a1   0..40 http.route=/call-b
    INTERNAL service-a request                a2   2..32
      INTERNAL service-a handler              a6   2..31
        CLIENT service-a dns.lookup           a4   8..9
        CLIENT service-a GET                  a3   8..28 url.full=http://service-b:8082/work
          SERVER service-b GET /work          b1  19..47 http.route=/work
            INTERNAL service-b handler        b2  21..23
`);

const healthyManual = drawTrace(`
  trace a
  SERVER service-a GET /call-b          a1   0..40 url.path=/call-b
    CLIENT service-a GET                a3   8..28 url.full=http://127.0.0.1:8082/work
      SERVER service-b GET /work        b1  19..27 url.path=/work baggage.hello=world
`);

/** The faults strip-traceparent, propagator-mismatch, propagator-none and duplicate-traceparent make the same spans. */
const split = drawTrace(`
  trace a
  SERVER service-a GET /call-b          a1   0..40 http.route=/call-b
    INTERNAL service-a handler          a2   2..32
      CLIENT service-a GET              a3   8..28 url.full=http://service-b:8082/work
  trace b
  SERVER service-b GET /work            b1  19..27 http.route=/work
`);

const withoutClient = drawTrace(`
  trace a
  SERVER service-a GET /call-b          a1   0..40 http.route=/call-b
    INTERNAL service-a handler          a2   2..32
  trace b
  SERVER service-b GET /work            b1  19..27 http.route=/work
`);

const contextLost = drawTrace(`
  trace a
  SERVER service-a GET /call-b          a1   0..40 http.route=/call-b
    INTERNAL service-a handler          a2   2..32
  trace b
  CLIENT service-a GET                  a3   8..28 url.full=http://service-b:8082/work
    SERVER service-b GET /work          b1  19..27 http.route=/work
`);

const lostAnswer: Answer = {
  ...healthyAnswer,
  same_trace: false,
  service_b_trace_id: traceId('b'),
  traceparent_header: `00-${traceId('b')}-${spanId('a3')}-01`,
};

const twoHeaders = `00-${traceId('a')}-${spanId('a6')}-01, 00-${traceId('a')}-${spanId('a3')}-01`;

describe('the shapes that the demo makes', () => {
  const shapes: readonly {
    readonly name: string;
    readonly answer: Answer;
    readonly spans: readonly Span[];
    readonly mode?: Mode;
    readonly failed: readonly number[];
  }[] = [
    { name: 'healthy, automatic', answer: healthyAnswer, spans: healthyAuto, failed: [] },
    { name: 'healthy, manual', answer: healthyAnswer, spans: healthyManual, mode: 'manual', failed: [] },
    { name: 'strip-traceparent', answer: splitAnswer(null), spans: split, failed: [2, 3, 7, 8] },
    { name: 'duplicate-traceparent', answer: splitAnswer(twoHeaders), spans: split, failed: [2, 3, 7, 8] },
    {
      name: 'propagator-none, manual',
      answer: splitAnswer(null),
      spans: split,
      mode: 'manual',
      failed: [2, 3, 7, 8, 10],
    },
    {
      name: 'client-not-instrumented',
      answer: splitAnswer(null),
      spans: withoutClient,
      failed: [2, 3, 5, 7, 8],
    },
    { name: 'context-lost', answer: lostAnswer, spans: contextLost, failed: [2, 5] },
  ];
  for (const { name, answer, spans, mode = 'auto', failed } of shapes) {
    it(`${name}: fails ${failed.join(', ') || 'nothing'}`, () => {
      assert.deepEqual(numbersOf(judgeStatements(answer, spans, { mode }), 'failed'), failed);
    });
  }

  it('numbers the ten statements in order', () => {
    const numbers = judgeStatements(healthyAnswer, healthyAuto, { mode: 'auto' }).map(({ number }) => number);
    assert.deepEqual(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('skips only baggage in automatic mode, conclusively', () => {
    const statements = judgeStatements(healthyAnswer, healthyAuto, { mode: 'auto' });
    assert.deepEqual(numbersOf(statements, 'skipped'), [10]);
    assert.equal(
      statements.every(({ conclusive }) => conclusive),
      true,
    );
  });

  it('names the new root', () => {
    const parent = statement(7, splitAnswer(null), split);
    assert.equal(parent.found, `B's SERVER span ${spanId('b1')} is a root of trace ${traceId('b')}`);
    assert.equal(
      parent.expected,
      `B's SERVER span ${spanId('b1')} has A's CLIENT span ${spanId('a3')} as its parent`,
    );
    assert.deepEqual(parent.where, [
      { what: "B's SERVER span", traceId: traceId('b'), spanId: spanId('b1') },
    ]);
  });

  it('names the number of received headers', () => {
    assert.match(statement(3, splitAnswer(twoHeaders), split).found, /^B received 2 traceparent headers/);
  });
});

describe('spans that have not all arrived', () => {
  for (const [missing, failed, open] of [
    ['a1', [4, 5], [4, 5, 9]],
    ['a6', [5], [5]],
    ['a3', [5], [5, 7, 8, 9]],
    ['b1', [6], [6, 7, 9]],
  ] as const) {
    it(`without ${missing}: fails ${failed.join(', ')} and is not conclusive about ${open.join(', ')}`, () => {
      const spans = healthyAuto.filter((span) => span.spanId !== spanId(missing));
      const statements = judgeStatements(healthyAnswer, spans, { mode: 'auto' });
      assert.deepEqual(numbersOf(statements, 'failed'), failed);
      assert.deepEqual(
        statements.filter(({ conclusive }) => !conclusive).map(({ number }) => number),
        open,
      );
    });
  }

  it('is not conclusive about baggage until B has a span', () => {
    const spans = healthyManual.filter((span) => span.spanId !== spanId('b1'));
    const baggage = statement(10, healthyAnswer, spans, 'manual');
    assert.deepEqual([baggage.state, baggage.conclusive], ['skipped', false]);
  });

  it('needs no CLIENT span to see that B is a root', () => {
    const { state, conclusive } = statement(7, splitAnswer(null), withoutClient);
    assert.deepEqual([state, conclusive], ['failed', true]);
  });
});

describe('each statement can fail by itself', () => {
  it('1: B names no trace', () => {
    assert.equal(statement(1, { ...splitAnswer(null), service_b_trace_id: null }, split).state, 'failed');
  });

  it('2: A contradicts itself', () => {
    assert.deepEqual(failures({ ...healthyAnswer, same_trace: false }, healthyAuto), [2]);
  });

  for (const [name, change] of [
    ['B reports another parent', { service_b_parent_span_id: spanId('c') }],
    ['B reports no parent', { service_b_parent_span_id: null }],
    ['A reads another id from the header', { traceparent_parent_span_id: spanId('c') }],
    ['A says that they differ', { parent_matches_traceparent: false }],
  ] as const) {
    it(`3: ${name}`, () => assert.deepEqual(failures({ ...healthyAnswer, ...change }, healthyAuto), [3]));
  }

  for (const header of [
    `00-${traceId('a')}-${spanId('a3')}`,
    `ff-${traceId('a')}-${spanId('a3')}-01`,
    `00-${traceId('0')}-${spanId('a3')}-01`,
    `00-${traceId('a')}-${spanId('0')}-01`,
    `00-${traceId('A')}-${spanId('A3')}-01`,
    `00-${traceId('a')}-${spanId('a3')}-01-more`,
    '',
  ]) {
    it(`3: the header "${header}"`, () => {
      assert.deepEqual(failures({ ...healthyAnswer, traceparent_header: header }, healthyAuto), [3, 8]);
    });
  }

  it('3: accepts a header of a later version', () => {
    const traceparent_header = `cc-${traceId('a')}-${spanId('a3')}-01-more`;
    assert.deepEqual(failures({ ...healthyAnswer, traceparent_header }, healthyAuto), []);
  });

  it('3: the header names another trace than B', () => {
    const traceparent_header = `00-${traceId('c')}-${spanId('a3')}-01`;
    assert.deepEqual(failures({ ...healthyAnswer, traceparent_header }, healthyAuto), [3]);
  });

  it('4: A names another trace than its span', () => {
    const answer = { ...healthyAnswer, same_trace: false, service_a_trace_id: traceId('c') };
    assert.deepEqual(failures(answer, healthyAuto), [2, 4]);
  });

  it('4: A has a parent', () => {
    assert.deepEqual(failures(healthyAnswer, change(healthyAuto, 'a1', { parentSpanId: spanId('c') })), [4]);
  });

  it('4: a second SERVER span of A', () => {
    const second = change(healthyAuto, 'a1', { spanId: spanId('c') }).slice(0, 1);
    assert.deepEqual(failures(healthyAnswer, [...healthyAuto, ...second]), [4, 5]);
    const statements = judgeStatements(healthyAnswer, [...healthyAuto, ...second], { mode: 'auto' });
    assert.equal(
      statements.every(({ conclusive }) => conclusive),
      true,
    );
  });

  it('5: a second call, even without a SERVER span', () => {
    const second = change(healthyAuto, 'a3', { spanId: spanId('c') }).filter(
      ({ spanId: id }) => id === spanId('c'),
    );
    assert.deepEqual(failures(healthyAnswer, [...healthyAuto, ...second]), [5]);
  });

  it('5: parents in a cycle', () => {
    const spans = change(healthyAuto, 'a2', { parentSpanId: spanId('a6') });
    assert.match(statement(5, healthyAnswer, spans).found, /form a cycle/);
    assert.deepEqual(failures(healthyAnswer, spans), [5]);
  });

  it('5: a CLIENT span that is its own parent', () => {
    assert.deepEqual(failures(healthyAnswer, change(healthyAuto, 'a3', { parentSpanId: spanId('a3') })), [5]);
  });

  it('6: a second SERVER span of B', () => {
    const second = change(healthyAuto, 'b1', { spanId: spanId('c') }).filter(
      ({ spanId: id }) => id === spanId('c'),
    );
    assert.deepEqual(failures(healthyAnswer, [...healthyAuto, ...second]), [6]);
  });

  it('6: B names another trace than its span', () => {
    const answer = { ...splitAnswer(null), service_b_trace_id: traceId('c') };
    assert.deepEqual(failures(answer, split), [2, 3, 6, 7, 8]);
  });

  it('7: B under a span that is not the CLIENT span', () => {
    const spans = change(healthyAuto, 'b1', { parentSpanId: spanId('a6') });
    assert.deepEqual(failures(healthyAnswer, spans), [7]);
    assert.match(statement(7, healthyAnswer, spans).found, new RegExp(spanId('a6')));
  });

  it('7: B names the CLIENT span from another trace', () => {
    const spans = change(split, 'b1', { parentSpanId: spanId('a3') });
    assert.deepEqual(failures(lostAnswer, spans), [2, 7]);
  });

  it('8: the header names another span', () => {
    const other = spanId('a6');
    const answer = {
      ...healthyAnswer,
      traceparent_header: `00-${traceId('a')}-${other}-01`,
      traceparent_parent_span_id: other,
      service_b_parent_span_id: other,
    };
    assert.deepEqual(failures(answer, healthyAuto), [8]);
  });

  for (const [id, serviceName] of [
    ['b1', 'unknown_service:node'],
    ['b1', 'service-a'],
    ['b1', null],
  ] as const) {
    it(`9: B is called ${serviceName}`, () => {
      assert.deepEqual(failures(healthyAnswer, change(healthyAuto, id, { serviceName })), [9]);
    });
  }

  it('9: both services have the name of B', () => {
    const spans = healthyAuto.map((span) => ({ ...span, serviceName: 'service-b' }));
    assert.deepEqual(failures(healthyAnswer, spans), [9]);
  });

  for (const hello of [undefined, 'mars']) {
    it(`10: hello=${hello}`, () => {
      const attributes = new Map([
        ['url.path', '/work'],
        ...(hello === undefined ? [] : [['baggage.hello', hello] as const]),
      ]);
      const spans = change(healthyManual, 'b1', { attributes });
      assert.deepEqual(failures(healthyAnswer, spans, 'manual'), [10]);
    });
  }
});

describe('9: times', () => {
  for (const [name, id, times, isPassed] of [
    ['B outlives the CLIENT span by the tolerance', 'b1', [19, 528], true],
    ['B outlives the CLIENT span by more', 'b1', [19, 529], false],
    ['B begins when the CLIENT span has ended, by the tolerance', 'b1', [128, 130], true],
    ['B begins when the CLIENT span has long ended', 'b1', [129, 130], false],
    ["B's clock is a little early", 'b1', [-92, 27], true],
    ['B begins long before the CLIENT span', 'b1', [-93, 27], false],
    ['the CLIENT span outlives A by the tolerance', 'a3', [8, 140], true],
    ['the CLIENT span outlives A by more', 'a3', [8, 141], false],
    ['the CLIENT span begins with A, by the tolerance', 'a3', [-100, 28], true],
    ['the CLIENT span begins before A', 'a3', [-101, 28], false],
    ['a span ends before it begins', 'b1', [19, 8], false],
  ] as const) {
    it(`${name}: ${isPassed ? 'passes' : 'fails'}`, () => {
      const [start, end] = times.map((time) => 1_700_000_000_000_000_000n + BigInt(time) * 1_000_000n);
      const spans = change(healthyAuto, id, { startTimeUnixNano: start ?? 0n, endTimeUnixNano: end ?? 0n });
      assert.deepEqual(failures(healthyAnswer, spans), isPassed ? [] : [9]);
    });
  }
});

describe('false alarms', () => {
  it('a span that is delivered twice is one span', () => {
    assert.deepEqual(failures(healthyAnswer, [...healthyAuto, ...healthyAuto]), []);
  });

  it('other calls and routes of the same services do not count', () => {
    const others = drawTrace(`
      trace a
      CLIENT service-a POST           c1 <- a6  3..4 url.full=http://audit/log
      CLIENT service-a tcp.connect    c2 <- a6  3..4
      CLIENT service-c GET            c4 <- b2  3..4 url.full=http://service-b:8082/work
      SERVER service-b GET /healthz   c3 <- c1  3..4 http.route=/healthz
    `);
    assert.deepEqual(failures(healthyAnswer, [...healthyAuto, ...others]), []);
  });

  it('spans without a path are recognised by parent and service name', () => {
    const spans = drawTrace(`
      trace a
      SERVER service-a handle             a1   0..40
        CLIENT service-a call             a3   8..28
          SERVER service-b handle         b1  19..27
    `);
    assert.deepEqual(failures(healthyAnswer, spans), []);
  });

  it('former semantic conventions are understood', () => {
    const spans = drawTrace(`
      trace a
      SERVER service-a HTTP GET           a1   0..40 http.target=/call-b?x=1
        CLIENT service-a HTTP GET         a3   8..28 http.url=http://b/work?y=2
          SERVER service-b HTTP GET       b1  19..27 http.target=/work?y=2
    `);
    assert.deepEqual(failures(healthyAnswer, spans), []);
  });

  it('without spans no statement fails conclusively for a healthy answer', () => {
    const statements = judgeStatements(healthyAnswer, [], { mode: 'auto' });
    assert.deepEqual(
      statements.filter(({ state, conclusive }) => state === 'failed' && conclusive),
      [],
    );
  });
});

function failures(answer: Answer, spans: readonly Span[], mode: Mode = 'auto'): readonly number[] {
  return numbersOf(judgeStatements(answer, spans, { mode }), 'failed');
}

function numbersOf(statements: readonly Statement[], state: Statement['state']): readonly number[] {
  return statements.filter((one) => one.state === state).map(({ number }) => number);
}

function statement(number: number, answer: Answer, spans: readonly Span[], mode: Mode = 'auto'): Statement {
  const found = judgeStatements(answer, spans, { mode }).find((one) => one.number === number);
  assert.ok(found);
  return found;
}

function change(spans: readonly Span[], id: string, fields: Partial<Span>): readonly Span[] {
  return spans.map((span) => (span.spanId === spanId(id) ? { ...span, ...fields } : span));
}
