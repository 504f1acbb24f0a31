import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { drawTrace, spanId, traceId } from 'propagation-check/test';
import { renderAssertionText } from '../../assertion/render-text.ts';
import { healthySpans as healthy, healthyAnswer, splitSpans as split, splitAnswer } from './answers.ts';
import { makeCheck, makeRun, makeSilent } from './make-run.ts';

const options = { width: 100, color: false, jaegerUi: 'http://localhost:16686/' } as const;

describe('one trace', () => {
  const intact = renderAssertionText(makeRun([makeCheck(healthyAnswer, healthy)]), options);
  const broken = renderAssertionText(makeRun([makeCheck(splitAnswer(null), split)]), options);

  it('shows nine statements with a mark each, and the trace, the verdict and its link', () => {
    assert.equal(intact.match(/^✓ +\d+ /gm)?.length, 9);
    assert.match(intact, new RegExp(`^trace ${traceId('a')}$`, 'm'));
    assert.match(intact, /^INTACT {5}9 of 9 statements hold \(812 ms\)$/m);
    assert.match(intact, new RegExp(`^Jaeger +http://localhost:16686/trace/${traceId('a')}$`, 'm'));
  });

  it('ends with links to the trace and to traces of the same operation around it', () => {
    const lines = intact.trimEnd().split('\n');
    const [trace = '', neighbours = ''] = lines.slice(-2);
    assert.equal(trace, `Jaeger     http://localhost:16686/trace/${traceId('a')}`);
    const link = new URL(neighbours.replace(/^neighbours /, ''));
    assert.equal(`${link.origin}${link.pathname}`, 'http://localhost:16686/search');
    const { start, end, ...query } = Object.fromEntries(link.searchParams);
    assert.deepEqual(query, {
      service: 'service-a',
      operation: 'GET /call-b',
      lookback: 'custom',
      limit: '20',
    });
    const at = 1_700_000_000_000_000;
    assert.deepEqual([Number(start) - at, Number(end) - at], [-300_000_000, 300_000_000]);
    const ofBoth = broken.trimEnd().split('\n').slice(-4);
    assert.deepEqual(
      ofBoth.map((line) => line.split(' ')[0]),
      ['Jaeger', 'Jaeger', 'neighbours', 'neighbours'],
    );
    assert.match(ofBoth[3] ?? '', /service=service-b&operation=GET%20%2Fwork&/);
  });

  it('names a warning as the cause when no call is broken', () => {
    const skewed = drawTrace(`
      trace a
      SERVER service-a GET /call-b          a1   0..40 http.route=/call-b http.request.method=GET
        CLIENT service-a GET                a3   8..28 url.full=http://service-b:8082/work http.request.method=GET
          SERVER service-b GET /work        b1  2019..2027 http.route=/work http.request.method=GET
    `);
    const text = renderAssertionText(makeRun([makeCheck(healthyAnswer, skewed)]), options);
    assert.match(text, /^cause +The clocks of two services differ \(clock-skew\)$/m);
  });

  it('shows baggage in manual mode', () => {
    const text = renderAssertionText(
      makeRun([makeCheck(healthyAnswer, healthy, 'manual')], 'manual'),
      options,
    );
    assert.match(text, /^✗ 10 baggage hello=world arrived at B$/m);
  });

  it('prints what was expected and found, the location, and both traces', () => {
    assert.match(broken, /^✗ {2}7 the parent of B's SERVER span is A's CLIENT span$/m);
    assert.match(
      broken,
      new RegExp(`^ {5}expected {2}B's SERVER span ${spanId('b1')} has A's CLIENT span`, 'm'),
    );
    assert.match(broken, new RegExp(`^ {5}found {5}B's SERVER span ${spanId('b1')} is a root of trace`, 'm'));
    assert.match(
      broken,
      new RegExp(`^ {5}where {5}B's SERVER span ${spanId('b1')} in trace ${traceId('b')}$`, 'm'),
    );
    assert.equal(broken.match(/^trace /gm)?.length, 2);
    assert.equal(broken.match(/^Jaeger /gm)?.length, 2);
  });

  it('points to the first statement that fails, and to the cause', () => {
    assert.match(broken, /^BROKEN {5}4 of 9 statements fail/m);
    assert.match(broken, /^points at {2}2 A and B name the same trace id: B in trace/m);
    assert.match(broken, /^cause +.*\(split-trace\)/m);
    assert.match(broken, /^to decide {2}Let service-a call a tap instead of service-b/m);
    assert.match(broken, /^fix {8}if header-not-sent: Give the caller a propagator/m);
  });

  it('names the silent hop when there is no verdict', () => {
    const text = renderAssertionText(makeRun([makeSilent('connection refused')]), options);
    assert.match(text, /^NO VERDICT {2}service A stayed silent/m);
    assert.match(text, /^because {5}connection refused$/m);
    assert.equal(text.match(/^[✓✗–]/gm)?.length, 1);
  });

  it('has no link without a Jaeger', () => {
    const text = renderAssertionText(makeRun([makeCheck(healthyAnswer, healthy)]), {
      ...options,
      jaegerUi: null,
    });
    assert.doesNotMatch(text, /Jaeger/);
  });

  for (const width of [40, 60, 80, 200]) {
    it(`fits ${width} columns, except for single words and for the command to paste, and keeps every id whole`, () => {
      const text = renderAssertionText(makeRun([makeCheck(splitAnswer(null), split)]), { ...options, width });
      const tooLong = text
        .split('\n')
        .filter((line) => line.length > width && !line.startsWith('           propagation-check tap '));
      for (const line of tooLong) assert.match(line.trim(), /^(\S+ +)?\S+$/, line);
      for (const id of ['a1', 'a3', 'b1']) assert.ok(text.includes(spanId(id)), id);
      for (const id of ['a', 'b']) assert.ok(text.includes(`trace ${traceId(id)}`), id);
    });
  }

  it('differs only in colour when it is coloured', () => {
    const run = makeRun([makeCheck(splitAnswer(null), split)]);
    const colored = renderAssertionText(run, { ...options, color: true });
    assert.notEqual(colored, broken);
    assert.equal(stripVTControlCharacters(colored), broken);
  });

  it('escapes control characters and workflow commands of spans and answers', () => {
    const spans = healthy.map((span) => ({
      ...span,
      name: 'GET \u001b[31m\n::error::x \u202e ##[error]y',
      serviceName: span.serviceName === 'service-b' ? '\u009b2J::error::' : span.serviceName,
    }));
    const traceparent_header = '\u001b]0;title\u0007 ::error::z';
    const text = renderAssertionText(
      makeRun([makeCheck({ ...healthyAnswer, traceparent_header }, spans)]),
      options,
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: there must be none
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    assert.doesNotMatch(text, /(^|\s)(::|##)/m);
    assert.match(text, /\\x1b\[31m/);
  });
});

describe('several traces', () => {
  const checks = [
    makeCheck(healthyAnswer, healthy),
    makeCheck(splitAnswer(null), split),
    makeSilent('gone'),
    makeCheck(healthyAnswer, healthy),
  ];
  const text = renderAssertionText(makeRun(checks), options);

  it('prints the counts of all traces', () => {
    assert.match(text, /^2 of 4 traces intact, 1 broken, 1 unknown$/m);
    assert.match(text, /^ 2 A and B name the same trace id +2 +1 +1$/m);
  });

  it('shows the first broken trace in full', () => {
    assert.match(text, /^The first trace that is broken:$/m);
    assert.match(text, /^points at/m);
  });

  it('prints only the counts when all are intact', () => {
    const all = renderAssertionText(
      makeRun([checks[0], checks[3]].filter((check) => check !== undefined)),
      options,
    );
    assert.match(all, /^2 of 2 traces intact$/m);
    assert.doesNotMatch(all, /^trace /m);
  });
});
