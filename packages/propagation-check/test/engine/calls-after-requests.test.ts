import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { hintAtExpectations } from '../../src/collect/hint-at-expectations.ts';
import { type Expectation, expectPath, noExpectation } from '../../src/expect/expectation.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import type { Result } from '../../src/verdict/result.ts';
import { drawTrace } from '../draw-trace.ts';

const get = 'http.request.method=GET';

/** Requests of `web` that answer at once. */
const requests = [0, 200, 450, 600, 900];
/** When the work that each request started began. */
const delays = [60, 30, 90, 200, 10];

const request = (start: number, path = '/fire', more = '') =>
  `SERVER web GET ${path}  ID1  ${start}..${start + 5} ${get} url.path=${path} http.route=${path}${more}`;

const call = (
  start: number,
  more = '',
) => `CLIENT web GET  ID2  ${start}..${start + 40} ${get} url.full=http://orders/o${more}
  SERVER orders GET /o  ID3  ${start + 10}..${start + 30} ${get} url.path=/o`;

function judge(...traces: readonly string[]): Result {
  return judgeWith(noExpectation, ...traces);
}

function judgeWith(expectation: Expectation, ...traces: readonly string[]): Result {
  const drawn = traces.map((trace, at) => {
    const id = (at + 16).toString(16);
    return `trace ${id}\n${trace.replaceAll('ID', id)}`;
  });
  return checkTraces(drawTrace(drawn.join('\n')), { expectation });
}

const whole = requests.map((start) => request(start));
const works = requests.map((start, at) => call(start + (delays[at] ?? 0)));

suite('whole calls that each began a trace after a request without a call', () => {
  test('are named, with both explanations; the verdict stays', () => {
    const result = judge(...whole, ...works);
    const edge = { client: 'web', peer: 'orders', calls: 5, server: 'orders', why: 'after-request' };
    assert.deepEqual([result.verdict, result.unjudged], ['intact', [edge]]);
    const notes = hintAtExpectations(result, ['web', 'orders'], noExpectation);
    assert.equal(notes.length, 1);
    assert.match(
      notes[0] ?? '',
      /^not judged: web → orders \(5 calls\): they are whole, but began traces of their own, and requests of the caller that may have made them lack them: .* hand their context over/,
    );
  });

  test('are named if an expectation requires the edge and no request makes them', () => {
    const expected = { ...noExpectation, edges: expectPath(['web', 'orders']) };
    const burst = [0, 8, 10, 12].map((start) => request(start));
    const queued = [40, 140, 240, 340].map((start) => call(start));
    const edge = { client: 'web', peer: 'orders', calls: 4, server: 'orders', why: 'after-request' };
    const result = judgeWith(expected, ...burst, ...queued);
    assert.deepEqual([result.verdict, result.unjudged], ['intact', [edge]]);
    assert.equal(judge(...burst, ...queued).unjudged, undefined);
    const unevenly = judgeWith(expected, ...burst, ...queued.slice(1));
    assert.deepEqual(unevenly.unjudged, [{ ...edge, calls: 3 }]);
    assert.equal(judgeWith(expected, ...burst.slice(0, 1), ...queued.slice(0, 1)).unjudged, undefined);
    const probes = [0, 100, 200].map((start) => request(start, '/healthz', ''));
    assert.equal(judgeWith(expected, ...probes, ...queued).unjudged, undefined);
    // These requests meet the expectation.
    const direct = [600, 700, 800].map(
      (start) => `${request(start, '/sync', '')}\n  ${call(start + 1).replaceAll('\n', '\n  ')}`,
    );
    assert.equal(judgeWith(expected, ...burst, ...queued, ...direct).unjudged, undefined);
  });

  test("are not named if they may be a timer's: more or fewer than requests, or before them", () => {
    assert.equal(judge(...whole, request(1_200), ...works).unjudged, undefined);
    assert.equal(judge(...whole, ...works, call(1_200)).unjudged, undefined);
    const timer = [10, 190, 460, 650, 910].map((start) => call(start));
    assert.equal(judge(...whole, ...timer).unjudged, undefined);
    assert.equal(judge(...whole.slice(1), ...works.slice(1)).unjudged, undefined);
    const hourLater = [0, 60_000, 120_000, 180_000, 240_000].map((start) => call(3_600_000 + start));
    assert.equal(judge(...whole, ...hourLater).unjudged, undefined);
    // The first call may begin at any time before the third request.
    const delayed = (start: number) =>
      judge(...whole, call(start), call(500), ...works.slice(2)).unjudged?.length;
    assert.deepEqual([delayed(449), delayed(451)], [1, undefined]);
  });

  test('are named if one worker makes them in turn while many requests wait', () => {
    const waiting = (count: number, more = 0) =>
      judge(
        ...Array.from({ length: count }, (_, at) =>
          // The answers take longer than the calls, each its own time.
          request(at * 50).replace(/\.\.\d+/, `..${at * 50 + 300 + ((at * 7) % 5) * 60}`),
        ),
        ...Array.from({ length: count + more }, (_, at) => call(at * 50 + 150)),
      ).unjudged;
    const edge = { client: 'web', peer: 'orders', calls: 16, server: 'orders', why: 'after-request' };
    assert.deepEqual(waiting(16), [edge]);
    assert.equal(waiting(16, 1), undefined);
    // Few overlapping requests may be as many as the calls of a timer.
    assert.equal(waiting(12), undefined);
  });

  test('are not named if the requests are of several routes, are health checks, or have calls themselves', () => {
    const mixed = requests.map((start, at) => request(start, at === 2 ? '/other' : '/fire'));
    assert.equal(judge(...mixed, ...works).unjudged, undefined);
    const probes = requests.map((start) => request(start, '/healthz'));
    assert.equal(judge(...probes, ...works).unjudged, undefined);
    const calling = requests.map(
      (start) =>
        `${request(start)}\n  CLIENT web GET  ID4  ${start + 1}..${start + 4} ${get} url.full=http://pay/p\n    SERVER pay GET /p  ID5  ${start + 2}..${start + 3} ${get} url.path=/p`,
    );
    assert.equal(judge(...calling, ...works).unjudged, undefined);
  });

  test('are not named if some calls of the edge are below a request, or the requests are messages', () => {
    const below = `${request(1_500, '/sync')}\n  ${call(1_501).replaceAll('\n', '\n  ').replace('1501..1541', '1501..1504')}`;
    assert.equal(judge(...whole, ...works.slice(1), below).unjudged, undefined);
    const consumers = requests.map((start) => request(start).replace('SERVER', 'CONSUMER'));
    assert.ok(judge(...consumers, ...works).unjudged?.every(({ why }) => why === undefined));
  });

  test('are named by endpoint if each request also has another call to the same service', () => {
    const draw = (from: readonly number[], path = '/order', service = 'orders') =>
      from.map((start) => {
        const other = call(start + 1)
          .replaceAll('/o', '/sync')
          .replaceAll('orders', service)
          .replace(/\d+\.\.\d+/, `${start + 1}..${start + 4}`)
          .replace(/(SERVER.*) \d+\.\.\d+/, `$1 ${start + 2}..${start + 3}`);
        return `${request(start, path)}\n  ${other.replace('ID2', 'ID4').replace('ID3', 'ID5').replaceAll('\n', '\n  ')}`;
      });
    const edge = { client: 'web', peer: 'orders', calls: 5, server: 'orders', why: 'after-request' };
    const result = judge(...draw(requests), ...works);
    assert.deepEqual([result.verdict, result.unjudged], ['intact', [edge]]);
    // The timer calls another endpoint.
    const timer = [1_000, 2_000].map((start) => call(start).replaceAll('/o', '/tick'));
    assert.deepEqual(judge(...draw(requests), ...works, ...timer).unjudged, [edge]);
    assert.deepEqual(judge(...draw([1_500], '/sync'), ...whole, ...works).unjudged, [edge]);
    assert.equal(judge(...draw(requests, '/order', 'pay'), ...works).unjudged, undefined);
    assert.equal(judge(...draw([...requests, 1_200]), ...works).unjudged, undefined);
    const late = [10, 190, 460, 650, 910].map((start) => call(start));
    assert.equal(judge(...draw(requests), ...late).unjudged, undefined);
  });

  test('are not named if a service calls itself, or beside a finding on the caller', () => {
    const toItself = works.map((work) => work.replace('SERVER orders', 'SERVER web'));
    assert.equal(judge(...whole, ...toItself).unjudged, undefined);
    const atOnce = judge(...whole, ...requests.map((start) => call(start + 6)));
    assert.deepEqual(
      [atOnce.findings.map(({ id }) => id), atOnce.unjudged],
      [['context-lost-in-process'], undefined],
    );
  });

  test('are not named across two namespaces that share a service name', () => {
    const spans = drawTrace(
      [...whole, ...works]
        .map((trace, at) => `trace ${at + 16}\n${trace.replaceAll('ID', String(at + 16))}`)
        .join('\n'),
    );
    const inNamespaces = spans.map((span) => ({
      ...span,
      resource: new Map([['service.namespace', span.kind === 'CLIENT' ? 'bank' : 'shop']]),
    }));
    assert.equal(checkTraces(spans).unjudged?.length, 1);
    assert.equal(checkTraces(inNamespaces).unjudged, undefined);
  });
});
