import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { hintAtExpectations } from '../../src/collect/hint-at-expectations.ts';
import { noExpectation } from '../../src/expect/expectation.ts';
import { check } from '../../src/library/check.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { checkDrawing } from '../engine/read-fixture-drawing.ts';
import { drawChain, drawClient, drawServer } from './judge-drawing.ts';

const whole = [0, 1000, 2000, 3000]
  .map((from, at) =>
    drawChain(at + 1, drawClient({ from, to: from + 90 }), drawServer({ from: from + 10, to: from + 80 })),
  )
  .join('');
const get = 'http.request.method=GET url.full=http://orders:8082/work';
const call = (ended: string, to = 1550) => drawChain(9, `web CLIENT "GET" 1500..${to} ${get} ${ended}`);

function tell(...drawings: readonly string[]) {
  const { spans } = readDrawing(drawings.join(''));
  const result = checkTraces(spans);
  return { result, notes: hintAtExpectations(result, ['web', 'orders'], noExpectation) };
}

suite('calls without a SERVER span to a service that emits spans', () => {
  const cases = [
    [
      'unavailable',
      'http.response.status_code=503',
      /^1 call has no SERVER span: 1 ended with a status that a hop may have given, such as 503 \(14 of gRPC: a hop or the caller's own library\)$/,
    ],
    ['failed', 'error.type=ECONNREFUSED status:ERROR', /: 1 failed before an answer$/],
    ['aborted', 'error.type=AbortError status:ERROR', /: the caller ended 1$/],
  ] as const;
  for (const [ending, attributes, said] of cases)
    test(`${ending}: ${attributes}`, () => {
      const { result, notes } = tell(whole, call(attributes));
      assert.equal(result.verdict, 'intact');
      assert.deepEqual(result.findings[0]?.ended, { [ending]: 1 });
      assert.equal(notes.length, 1);
      assert.match(notes[0] ?? '', said);
      assert.doesNotMatch(notes[0] ?? '', /emit none|--expect/);
    });

  test('calls that were answered much faster than the service answers', () => {
    const { result, notes } = tell(whole, call('http.response.status_code=200', 1501));
    assert.deepEqual(result.findings[0]?.ended, { answered: 1 });
    assert.match(notes[0] ?? '', /: 1 went to an address of which other calls are whole \(a cache or a hop/);
    assert.match(
      result.findings[0]?.evidence[0]?.says ?? '',
      /without a SERVER span: other calls to this address/,
    );
  });

  test('each kind of ending has its count, and only peers without any span are said to emit none', () => {
    const other = drawChain(8, drawClient({ from: 1700, to: 1750 }, 'api.example.com/v1'));
    const { notes } = tell(whole, call('http.response.status_code=503'), other);
    assert.deepEqual(notes, [
      '2 calls have no SERVER span: 1 is taken for calls to peers that emit none, 1 ended with a status that a hop may have given, such as 503 (14 of gRPC: a hop or the caller\'s own library); if one of these peers is yours, name the edge with --expect "CALLER -> CALLED"',
    ]);
  });

  test('the first step on an expected edge is to repair the call', async () => {
    const failed = [1, 2, 3].map((at) =>
      drawChain(
        at,
        `web CLIENT "GET" ${at * 1000}..${at * 1000 + 50} ${get} error.type=ECONNREFUSED status:ERROR`,
      ),
    );
    const { spans, expectation } = readDrawing(`expect web -> orders\n${failed.join('')}`);
    const { result, explanation } = await check(spans, { expectation });
    const [finding] = result.findings;
    assert.deepEqual([finding?.id, finding?.severity], ['missing-server', 'warning']);
    const told = explanation.replace(/\s+/g, ' ');
    assert.doesNotMatch(told, /was answered/);
    assert.match(told, /^CANNOT TELL web -> orders: .*\(missing-server\): to decide: Repair the call/);
    assert.match(finding?.decide?.[0] ?? '', /^Repair the call/);
  });

  test('headers that name a cause leave no doubt', () => {
    const failed = drawChain(1, `web CLIENT "GET" 10..90 ${get} http.response.status_code=503`);
    const tap = 'tap 15..85 GET /work 503 sent - received -';
    const [finding] = checkDrawing(`expect web -> orders\n${failed}${tap}`).findings;
    assert.deepEqual([finding?.id, finding?.doubt], ['header-not-sent', undefined]);
  });

  test('nothing is reported if each call has its SERVER span', () => {
    assert.deepEqual(tell(whole).notes, []);
  });
});
