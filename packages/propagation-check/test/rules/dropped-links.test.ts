import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { describeStore } from '../../src/collect/describe-store.ts';
import { explainNothingToJudge } from '../../src/collect/explain-nothing-to-judge.ts';
import { noExpectation } from '../../src/expect/expectation.ts';
import { storeOf } from '../../src/span/span-writer.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { checkDrawing } from '../engine/read-fixture-drawing.ts';
import { judgeDrawing } from './judge-drawing.ts';

/**
 * Messages that `web` sends and `worker` receives, each a second after the one before. @param received Attributes of the CONSUMER span
 * beside the destination.
 */
function drawMessages(first: number, count: number, received: string, both = ''): string {
  return Array.from({ length: count }, (_, at) => {
    const number = first + at;
    const start = number * 1_000;
    const of = `messaging.system=kafka messaging.destination.name=events ${both.replace('N', String(number))}`;
    return [
      `trace ${2 * number}`,
      `  web PRODUCER "send events" ${start}..${start + 5} id:m${number} ${of}`,
      `trace ${2 * number + 1}`,
      `  worker CONSUMER "process events" ${start + 20}..${start + 40} ${of} ${received.replace('link:', `link:m${number}`)}`,
    ].join('\n');
  }).join('\n');
}

const dropped = 'otel.dropped_links_count=1';
const whole = drawMessages(1, 6, 'link:');
const id = 'messaging.message.id=aaaaaaaa-bbbb-cccc-dddd-00000000000N';

/** Each drawing is broken if the SDK counts no dropped link. */
const rows: Readonly<Record<string, readonly [drawing: string, undecided: boolean]>> = {
  'all messages of an edge': [drawMessages(1, 3, dropped), true],
  'messages with the ids of those that were sent': [drawMessages(1, 3, dropped, id), true],
  'some messages, beside whole ones': [`${whole}\n${drawMessages(7, 3, dropped)}`, false],
};

suite('messages whose links a limit of the SDK dropped', () => {
  for (const [name, [drawing, isUndecided]] of Object.entries(rows))
    test(name, () => {
      const check = (text: string) => {
        return checkDrawing(`expect web -> worker\n${text}`);
      };
      assert.equal(check(drawing.replaceAll(dropped, '')).verdict, 'broken');
      const { verdict, findings, undecided = [], unjudged } = check(drawing);
      // The note on dropped links mentions messages beside whole ones.
      if (!isUndecided) assert.equal(unjudged, undefined);
      assert.deepEqual(
        findings.filter(({ severity }) => severity !== 'info'),
        [],
      );
      assert.equal(verdict, isUndecided ? 'unknown' : 'intact');
      assert.equal(undecided.length, isUndecided ? 1 : 0);
      if (isUndecided)
        assert.match(
          undecided[0]?.says ?? '',
          /^links of 3 messages of worker are left out .*OTEL_SPAN_LINK_COUNT_LIMIT/,
        );
    });

  test('leave an edge open if fewer are linked, also an unexpected edge', () => {
    for (const [linked, isOpen] of [
      [3, true],
      [4, false],
    ] as const) {
      const drawing = `${drawMessages(1, linked, 'link:')}\n${drawMessages(10, 3, dropped)}\ntrace 90\n  web INTERNAL "end" 90000..90001`;
      const { verdict, edges, undecided = [], unjudged } = checkTraces(readDrawing(drawing).spans);
      assert.deepEqual([verdict, unjudged], [isOpen ? 'unknown' : 'intact', undefined]);
      assert.deepEqual([edges[0]?.calls, edges[0]?.unjudged], [linked, 3]);
      if (isOpen)
        assert.match(
          undecided[0]?.says ?? '',
          /^3 of 6 messages judged: links of messages of worker are left out.*OTEL_SPAN_LINK_COUNT_LIMIT there/,
        );
    }
  });

  test('are mentioned, even without expectations', () => {
    const says = (text: string) => describeStore(storeOf(readDrawing(text).spans));
    assert.match(
      says(drawMessages(1, 3, dropped)).join(),
      /^a limit of the SDK left links out of messages of worker \(3\): the messages that these links name are not judged; raise OTEL_SPAN_LINK_COUNT_LIMIT there$/,
    );
    assert.deepEqual(says(whole), []);
    const { spans } = readDrawing(drawMessages(1, 3, dropped));
    const hint = explainNothingToJudge(checkTraces(spans), ['web', 'worker'], noExpectation);
    assert.match(hint, /no CONSUMER span here has them as parent or link/);
  });
});

suite('requests whose links a limit of the SDK dropped', () => {
  const work = 'http.request.method=GET url.path=/work http.response.status_code=200';
  const drawCalls = (first: number, count: number, isWhole: boolean): string =>
    Array.from({ length: count }, (_, at) => {
      const number = first + at;
      const start = number * 200;
      const call = `trace ${2 * number}\n  web CLIENT "GET" ${start}..${start + 90} http.request.method=GET url.full=http://orders:8082/work http.response.status_code=200`;
      const request = `orders SERVER "GET /work" ${start + 10}..${start + 80} ${work}`;
      return isWhole
        ? `${call}\n    ${request}`
        : `${call}\ntrace ${2 * number + 1}\n  ${request} ${dropped}`;
    }).join('\n');
  const check = (text: string) => {
    return checkDrawing(`expect web -> orders\n${text}`);
  };

  test('leave open the calls that they fit: each, or all of an edge if most of its calls are open', () => {
    for (const [whole, unlinked, isOpen] of [
      [0, 3, true],
      [1, 3, true],
      [3, 3, true],
      [4, 3, false],
    ] as const) {
      const drawing = `${drawCalls(1, whole, true)}\n${drawCalls(10, unlinked, false)}`;
      const { verdict, undecided = [], unjudged } = check(drawing);
      assert.equal(verdict, isOpen ? 'unknown' : 'intact');
      assert.deepEqual(
        undecided.map(({ says }) => /links of 3 requests of orders that fit .*LINK_COUNT_LIMIT/.test(says)),
        isOpen ? [true] : [],
      );
      assert.deepEqual(unjudged, [{ client: 'web', peer: 'orders:8082', calls: 3, why: 'dropped-links' }]);
      assert.equal(check(drawing.replaceAll(dropped, '')).verdict, 'broken');
      assert.equal(checkDrawing(`may web -> orders\n${drawing}`).undecided, undefined);
    }
  });

  test('leave open no call to which they cannot belong', () => {
    const listWhy = (...lines: readonly string[]) =>
      (check(lines.join('\n')).unjudged ?? []).flatMap(({ why }) => why ?? []);
    const call = (more = '') =>
      `trace 1\n  web CLIENT "GET" 0..90 http.request.method=GET url.full=http://orders:8082/work http.response.status_code=200 ${more}`;
    const request = (more = dropped) => `orders SERVER "GET /work" 10..80 ${work} ${more}`;
    const other =
      '  app CLIENT "GET" 5..85 http.request.method=GET url.full=http://orders:8082/work id:other';
    assert.deepEqual(listWhy(call(), 'trace 2', `  ${request()}`), ['dropped-links']);
    assert.deepEqual(listWhy(call(), 'trace 2', other, `    ${request()}`), []);
    assert.deepEqual(
      listWhy(call(), 'trace 2', other, 'trace 3', `  ${request(`${dropped} link:other`)}`),
      [],
    );
    assert.deepEqual(listWhy(call(), `  ${request()}`), []);
    assert.deepEqual(listWhy(call(), 'trace 2', `  ${request().replace('SERVER', 'INTERNAL')}`), []);
    const named = 'http.response.header.traceresponse=00-<2>-<named>-01';
    assert.deepEqual(
      listWhy(call(named), 'trace 2', `  ${request('id:named')}`, 'trace 3', `  ${request()}`),
      [],
    );
    // The root fits two calls and belongs to the one whose answer names it.
    for (const [first, second, of] of [
      ['', named, '5'],
      [named, '', '1'],
    ] as const) {
      const calls = [call(first), call(second).replace('trace 1', 'trace 5')];
      const { spans } = readDrawing([...calls, 'trace 2', `  ${request(`${dropped} id:named`)}`].join('\n'));
      const { explain = [] } = checkTraces(spans, { explain: true });
      assert.deepEqual(
        explain.filter(({ unjudged }) => unjudged !== undefined).map(({ traceId }) => traceId.at(-1)),
        [of],
      );
    }
  });

  test('leave open an expected call that shares only its time with them', () => {
    const drawing = `trace 1\n  web CLIENT "GET" 0..90 http.request.method=GET server.address=orders\ntrace 2\n  orders SERVER "GET /work" 10..80 ${work} ${dropped}`;
    const listWhy = (text: string) =>
      (checkTraces(readDrawing(text).spans, readDrawing(text)).unjudged ?? []).flatMap(
        ({ why }) => why ?? [],
      );
    assert.deepEqual(listWhy(`expect web -> orders\n${drawing}`), ['dropped-links']);
    assert.deepEqual(listWhy(drawing), []);
  });

  test('leave open the edge whose answer names them, however well they fit another call', () => {
    const call = (caller: string, to: number, trace: number, answered: number) =>
      `trace ${trace}\n  ${caller} CLIENT "GET" 0..${to} http.request.method=GET url.full=http://peer/work http.response.header.traceresponse=00-<${answered}>-<r${answered}>-01`;
    const request = (called: string, to: number, trace: number) =>
      `trace ${trace}\n  ${called} SERVER "GET /work" 10..${to} ${work} ${dropped} id:r${trace}`;
    const { spans } = readDrawing(
      [call('web', 90, 1, 2), request('orders', 20, 2), call('app', 30, 3, 4), request('stock', 80, 4)].join(
        '\n',
      ),
    );
    const { explain = [] } = checkTraces(spans, { explain: true });
    const [ofWeb] = explain.filter(({ kind, service }) => kind === 'CLIENT' && service === 'web');
    assert.match(ofWeb?.unjudged ?? '', /^a request of orders that fits began a trace/);
  });

  test('leave open no edge that has an error', () => {
    const broken = drawCalls(20, 3, false).replaceAll(dropped, '');
    const { verdict, undecided } = check([drawCalls(1, 1, true), drawCalls(10, 4, false), broken].join('\n'));
    assert.deepEqual([verdict, undecided], ['broken', undefined]);
  });

  test('are mentioned without claiming that SERVER spans are missing', () => {
    const { spans } = readDrawing(drawCalls(1, 3, false));
    const hint = explainNothingToJudge(checkTraces(spans), ['web', 'orders'], noExpectation);
    assert.match(hint, /web → orders:8082 \(3 calls\): requests that fit them began traces/);
    assert.doesNotMatch(hint, /no SERVER span of that side/);
  });
});

test('dropped links of requests do not stand for messages', () => {
  const request = 'http.request.method=GET url.path=/';
  const drawing = `
trace 1
  web CLIENT "GET" 0..20 ${request} ${dropped}
    stock SERVER "GET /" 5..15 ${request} ${dropped}
trace 2
  stock SERVER "process events" 30..40 faas.trigger=pubsub ${dropped}`;
  const [ofMessages = '', ofOthers = '', ...more] = describeStore(storeOf(readDrawing(drawing).spans));
  assert.match(ofMessages, / of messages of stock \(1\): the messages that these links name are not judged;/);
  assert.match(
    ofOthers,
    / of spans of stock \(1\), web \(1\): their calls are judged by their parents and the links that are left; where such a span begins a trace, it is not judged whether context was lost; raise OTEL_SPAN_LINK_COUNT_LIMIT there$/,
  );
  assert.deepEqual(more, []);
});

test('dropped links are mentioned beside links with invalid ids', () => {
  const ofLimit = /^a limit of the SDK left links out of messages of worker \(1\)/;
  const ofIds = /^links of spans of worker \(1\) have ids that are not valid/;
  for (const [links, notes] of [
    [3, [ofLimit, ofIds]],
    [2, [ofIds]],
  ] as const) {
    const counts = `otel.dropped_links_count=${links} propagation_check.invalid_links_count=2`;
    const says = describeStore(storeOf(readDrawing(drawMessages(1, 1, counts)).spans));
    assert.equal(says.length, notes.length);
    for (const [at, note] of notes.entries()) assert.match(says[at] ?? '', note);
  }
});

/** Drawings of fixtures, and the spans whose links may be dropped. */
const drawings: readonly (readonly [name: string, spans: RegExp])[] = [
  ['context-lost-in-process/broken', /^ {2}\w+ +CLIENT .*$/gm],
  ['context-lost-in-process/broken-between-layers', /^ {2}\w+ +INTERNAL .*$/gm],
  ['context-lost-in-process/broken-work', /^ {2}\w+ +INTERNAL .*$/gm],
  ['missing-call/broken-entrance', /^ {2}\w+ +CLIENT .*$/gm],
  ['split-trace/broken-batch-message-ids', /^ {2}\w+ +CONSUMER .*$/gm],
  ['split-trace/broken-batch-message-ids', /^ {4}\w+ +CONSUMER .*$/gm],
];

for (const [name, spans] of drawings)
  test(`spans with dropped links that seem to begin traces: ${name}, ${spans}`, () => {
    const fixture = readFileSync(join(import.meta.dirname, '../../fixtures', `${name}.txt`), 'utf8');
    assert.notDeepEqual(judgeDrawing(fixture), []);
    assert.deepEqual(judgeDrawing(fixture.replaceAll(spans, `$& ${dropped}`)), []);
  });
