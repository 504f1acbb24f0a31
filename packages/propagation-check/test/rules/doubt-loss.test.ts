import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { renderHtml } from '../../src/report/html/render-html.ts';
import { renderMarkdown } from '../../src/report/markdown.ts';
import { renderTerminal } from '../../src/report/terminal.ts';
import { checkDrawing, checkFixtureDrawing } from '../engine/read-fixture-drawing.ts';
import { drawChain, drawClient, drawServer } from './judge-drawing.ts';

const request = (at: number, lasts = 100) =>
  `web SERVER "GET /call" ${at}..${at + lasts} http.request.method=GET url.path=/call`;

/** A thread pool that loses the context: each request waits for its call, which begins a trace of its own. */
const pool = (times: readonly number[]) =>
  times
    .map(
      (at, round) =>
        drawChain(2 * round + 1, request(at)) +
        drawChain(
          2 * round + 2,
          drawClient({ from: at + 50, to: at + 90 }),
          drawServer({ from: at + 55, to: at + 85 }),
        ),
    )
    .join('');
const everySecond = Array.from({ length: 10 }, (_, at) => at * 1_000);
const atAnyTime = [0, 700, 3_900, 4_400, 7_800, 9_100, 9_500, 12_800, 13_700, 16_200];

function judge(drawing: string) {
  const result = checkDrawing(drawing);
  const [finding] = result.findings.filter(({ id }) => id === 'context-lost-in-process');
  return { result, finding };
}

suite('a warning of a lost context', () => {
  test('says that a timer may stay in step with requests at nearly even intervals, and what decides', () => {
    const { result, finding } = judge(pool(everySecond));
    assert.equal(finding?.severity, 'warning');
    assert.match(finding.doubt ?? '', /^The requests came at nearly even intervals/);
    assert.deepEqual(
      finding.decide?.map((step) => /--expect 'web -> orders'|at irregular times/.exec(step)?.[0]),
      ["--expect 'web -> orders'", 'at irregular times'],
    );
    assert.deepEqual(
      result.edges.map(({ calls, broken, doubtful }) => [calls, broken, doubtful]),
      [[10, 0, 10]],
    );
    assert.equal(result.verdict, 'unknown');
    assert.match(
      result.undecided?.[0]?.says ?? '',
      /^none of 10 calls judged \(context-lost-in-process leaves them open\); to decide: If requests of web/,
    );
  });

  test('names the work that an event listener may do beside a request', () => {
    const listener = atAnyTime.map(
      (at, round) =>
        drawChain(2 * round + 1, request(at)) +
        drawChain(2 * round + 2, `web INTERNAL "note" ${at + 50}..${at + 55}`),
    );
    const { finding } = judge(listener.join(''));
    assert.deepEqual(finding?.decide, ['Check in the code of web whether "GET /call" does this work']);
  });

  test('is an error after either step, without doubt', () => {
    for (const decided of [pool(atAnyTime), `expect web -> orders\n${pool(everySecond)}`]) {
      const { result, finding } = judge(decided);
      assert.deepEqual([finding?.severity, finding?.doubt, finding?.decide], ['error', undefined, undefined]);
      assert.equal(result.edges[0]?.doubtful, undefined);
    }
  });

  for (const drawing of [
    'broken-after-consumer',
    'broken-between-layers',
    'broken-work',
    'broken-before-peer',
  ])
    test(`${drawing} is an error without doubt`, () => {
      const { findings } = checkFixtureDrawing(`context-lost-in-process/${drawing}.txt`);
      const errors = findings.filter(({ severity }) => severity === 'error');
      assert.ok(errors.every(({ doubt, decide }) => doubt === undefined && decide === undefined));
      assert.ok(errors.length > 0);
    });

  test('appears in the report and in the line of the edge', () => {
    const details = { source: 'a file', reason: null, notes: [], collector: null };
    const whole = Array.from({ length: 11 }, (_, at) =>
      drawChain(
        100 + at,
        request(at * 1_000 + 500, 20),
        drawClient({ from: at * 1_000 + 505, to: at * 1_000 + 515 }),
        drawServer({ from: at * 1_000 + 507, to: at * 1_000 + 513 }),
      ),
    );
    const { result } = judge(pool(everySecond) + whole.join(''));
    assert.equal(result.verdict, 'intact');
    const text = renderTerminal(result, details, { width: 100, color: false, docsRoot: '' });
    assert.match(text, /, 21 calls, 10 doubtful, 1 warning /);
    assert.match(text, /^! web → orders {2}http {2}21 calls, 10 doubtful$/m);
    const markdown = renderMarkdown(result, details, { width: 100, color: false, docsRoot: '' }, []);
    assert.match(markdown, /^\| edge \| protocol \| calls \| broken \| doubtful \|$/m);
    assert.match(markdown, /` web → orders ` \| http \| 21 \| 0 \| 10 \|$/m);
    assert.match(renderHtml(result, details, [], ''), /<th scope="col" class="number">doubtful</);
    assert.match(text, /^ {2}doubt {5}A warning: The requests came at nearly even intervals/m);
    assert.match(text, /^ {2}to decide 1\. If requests of web make these calls/m);
  });

  const [again, irregular] = [/^Send at least \d such requests/, /^Send such requests at irregular times/];
  const inCode = (own: string) => new RegExp(`^Check in the code of \\S+ whether "[^"]+" ${own}$`);
  for (const [drawing, says, last] of [
    ['shown-one-job', /^Seen 1 time, which may be a coincidence/, again],
    ['shown-listener', /^The requests did not wait for these spans/, inCode('makes this call')],
    ['shown-same-event', /^The requests end at other times than these spans/, inCode('makes this call')],
    ['shown-before-peer', /^Seen \d times?, which may be a coincidence/, again],
    ['shown-between-layers', /^Seen \d times?, which may be a coincidence/, again],
    ['shown-after-request', /^The requests had ended/, inCode('makes this call')],
    ['shown-clock-tick', /^The requests came at nearly even intervals/, irregular],
  ] as const)
    test(`${drawing} says why it is one`, () => {
      const { findings } = checkFixtureDrawing(`context-lost-in-process/${drawing}.txt`);
      const warned = findings.filter(({ severity }) => severity === 'warning');
      assert.ok(warned.length > 0);
      for (const { doubt = '', decide = [] } of warned) {
        assert.match(doubt, says);
        assert.match(decide.at(-1) ?? '', last);
      }
    });
});
