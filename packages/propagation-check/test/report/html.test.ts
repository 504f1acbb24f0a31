import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { expectPath, noExpectation } from '../../src/expect/expectation.ts';
import { renderHtml } from '../../src/report/html/render-html.ts';
import { rateOf } from '../../src/report/html/service-graph.ts';
import type { ReportDetails } from '../../src/report/json.ts';
import type { PageData } from '../../src/report/page/page-data.ts';
import { pickSpans } from '../../src/report/pick-spans.ts';
import type { Span } from '../../src/span/span.ts';
import { storeOf } from '../../src/span/span-writer.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import type { Result } from '../../src/verdict/result.ts';
import { drawSplitCall, drawTrace, spanId, traceId } from '../draw-trace.ts';
import { readFixtureDrawing } from '../engine/read-fixture-drawing.ts';

const details: ReportDetails = { source: 'file=spans.json', reason: null, notes: [], collector: null };
const script = 'void 0';

const split = drawSplitCall();

const expectation = { ...noExpectation, edges: expectPath(['service-a', 'service-b']) };

function judge(spans: readonly Span[]): Result {
  return checkTraces(spans, { expectation });
}

function render(spans: readonly Span[]): string {
  return renderHtml(judge(spans), details, spans, script);
}

function readData(page: string): PageData {
  const [, json = ''] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page) ?? [];
  return JSON.parse(json);
}

describe('the HTML report', () => {
  it('draws both sides of a broken call with the cut between them', () => {
    const page = render(split);
    const [card = ''] = /<article.*?<\/article>/s.exec(page) ?? [];
    const order = ['GET /call-b', spanId('a3'), '✂', 'a trace of its own', 'GET /work', spanId('b1')];
    const places = order.map((text) => card.indexOf(text, card.indexOf('<table')));
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
    );
    assert.ok(!places.includes(-1), card);
    assert.match(card, /To decide.*propagation-check tap.*tcpdump/s);
  });

  it('draws the request of a caller without a span of its call', async () => {
    const { spans, expectation } = readFixtureDrawing('client-not-instrumented/broken.txt');
    const result = checkTraces(spans, { expectation });
    const { findings } = result;
    assert.deepEqual(
      findings.map(({ id }) => id),
      ['client-not-instrumented'],
    );
    const page = renderHtml(result, details, spans, script);
    const [table = ''] = /<table class="call">.*?<\/table>/s.exec(page) ?? [];
    const [above = '', below = ''] = table.split('the caller made no span of the call');
    const [first] = findings[0]?.evidence ?? [];
    assert.ok(first?.during !== undefined);
    assert.ok(above.includes(`#${first.during.traceId}-${first.during.spanId}`), table);
    assert.ok(below.includes(`#${first.traceId}-${first.spanId}`), table);
    const broken = readData(page).traces.filter(({ isBroken }) => isBroken);
    assert.deepEqual(
      [first.traceId, first.during.traceId].filter((id) => !broken.some((trace) => trace.id === id)),
      [],
    );
  });

  it('lists traces with evidence first, and shows the place of each span', () => {
    const { traces } = readData(render(split));
    assert.deepEqual(
      traces.map(({ id, isBroken }) => [id, isBroken]),
      [
        [traceId('a'), true],
        [traceId('b'), true],
        [traceId('c'), false],
      ],
    );
    assert.deepEqual(
      traces[0]?.spans.map(([id, depth, , , name, start, duration]) => [id, depth, name, start, duration]),
      [
        [spanId('a1'), 0, 'GET /call-b', 0, 40],
        [spanId('a3'), 1, 'GET', 8, 20],
      ],
    );
  });

  it('executes only its own script and style sheet', () => {
    const page = render(split);
    const [, policy = ''] = /Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
    const hashOf = (tag: string): string => {
      const [, text = ''] = new RegExp(`<${tag}>(.*?)</${tag}>`, 's').exec(page) ?? [];
      return `&#39;sha256-${createHash('sha256').update(text).digest('base64')}&#39;`;
    };
    assert.match(policy, /^default-src &#39;none&#39;;/);
    for (const tag of ['script', 'style']) assert.ok(policy.includes(`${tag}-src ${hashOf(tag)};`), tag);
    // The only address is in a command of `tap`.
    assert.doesNotMatch(page, / style="| on[a-z]+="|(?<!--target )https?:\/\//);
  });

  it('escapes texts from outside', () => {
    const evil = '</script><img src=x onerror=alert(1)>"\'&\u202e';
    const page = renderHtml(
      checkTraces(split.map((span) => ({ ...span, name: evil, serviceName: `${evil}${span.serviceName}` }))),
      { ...details, source: evil, notes: [evil] },
      split.map((span) => ({ ...span, name: evil })),
      script,
    );
    assert.doesNotMatch(page, /<img|\u202e/);
    assert.equal(page.match(/<\/script>/g)?.length, 2);
  });

  it('has a graph with rates that are rounded down', () => {
    assert.match(render(split), /<svg class="graph"/);
    const edge = { client: 'a', server: 'b', protocol: 'http' } as const;
    assert.equal(rateOf({ ...edge, calls: 1_000, broken: 1 }), '99 %');
    assert.equal(rateOf({ ...edge, calls: 3, broken: 0 }), '100 %');
    assert.equal(rateOf({ ...edge, calls: 0, broken: 0 }), 'never seen');
  });

  it('can be empty', () => {
    assert.match(renderHtml(checkTraces([]), details, [], script), /<h1 class="warning">CANNOT TELL/);
  });
});

describe('the spans that a report draws', () => {
  it('are whole traces, those with findings first', () => {
    const result = judge(split);
    const idsOf = (most: number) => pickSpans(storeOf(split), result, most).map((span) => span.spanId);
    assert.deepEqual(idsOf(100), ['a1', 'a3', 'b1', 'c1'].map(spanId));
    assert.deepEqual(idsOf(3), ['a1', 'a3', 'b1'].map(spanId));
    assert.deepEqual(idsOf(2), ['a1', 'a3'].map(spanId));
  });

  it('are the part around the finding, with all ancestors, where a trace is too large', () => {
    const steps = Array.from(
      { length: 40 },
      (_, at) => `  INTERNAL a step ${at}  5${at + 10}  ${at * 10}..${at * 10 + 1}`,
    );
    const drawing = [
      'trace a',
      'SERVER a GET /  a1  0..1000 http.request.method=GET url.path=/',
      ...steps.slice(0, 20),
      '  INTERNAL a outer  a2  200..290',
      '    CLIENT a GET  a3  205..285 http.request.method=GET url.full=http://b/work',
      ...steps.slice(20),
      'trace b',
      'SERVER b GET /work  b1  210..280 http.request.method=GET url.path=/work',
    ].join('\n');
    const spans = drawTrace(drawing);
    const result = judge(spans);
    assert.equal(result.verdict, 'broken');
    const drawn = pickSpans(storeOf(spans), result, 10);
    assert.equal(drawn.length, 10);
    const ids = drawn.map((span) => span.spanId);
    for (const id of ['a1', 'a2', 'a3', 'b1'].map(spanId)) assert.ok(ids.includes(id), id);
    assert.ok(drawn.every(({ parentSpanId }) => parentSpanId === null || ids.includes(parentSpanId)));
    const starts = drawn
      .filter(({ name }) => name.startsWith('step'))
      .map(({ name }) => Number(name.slice(5)));
    assert.deepEqual(
      starts.sort((left, right) => left - right),
      [18, 19, 20, 21, 22, 23],
    );
  });
});
