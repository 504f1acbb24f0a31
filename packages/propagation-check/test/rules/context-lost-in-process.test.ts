import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { drawChain, drawClient, drawServer, judgeDrawing } from './judge-drawing.ts';

const lost = (severity: 'error' | 'warning', count: number) => [
  `${severity} context-lost-in-process web -> orders ${count}`,
];

const request = (at: number, extra = '') =>
  `web SERVER "GET /call" ${at}..${at + 100} http.request.method=GET url.path=/call ${extra}`;

/** A whole call during a request, in a trace of its own. */
const detached = (at: number): readonly string[] => [
  drawClient({ from: at + 10, to: at + 90 }),
  drawServer({ from: at + 20, to: at + 80 }),
];

/** Some requests, each with a detached call and with these lines below it. */
function drawRequests(count: number, ...below: readonly ((at: number) => readonly string[])[]): string {
  return Array.from({ length: count }, (_, round) => {
    const at = round * 1_000;
    const lines = below.flatMap((draw) =>
      draw(at).map((line, depth) => `${'  '.repeat(depth + 2)}${line}\n`),
    );
    return `trace ${2 * round + 1}\n  ${request(at)}\n${lines.join('')}${drawChain(2 * round + 2, ...detached(at))}`;
  }).join('');
}

suite('a request lacks the call, whatever else it calls', () => {
  const open = (extra: string) => (at: number) => [`web CLIENT "call" ${at + 2}..${at + 8} ${extra}`];
  for (const [other, below] of [
    [
      'another path',
      open('http.request.method=GET url.full=http://orders:8082/other http.response.status_code=200'),
    ],
    [
      'another method',
      open('http.request.method=PUT url.full=http://orders:8082/work http.response.status_code=200'),
    ],
    ['a database', open('db.system.name=postgresql server.address=db')],
    [
      'another path of the same service, with success',
      (at: number) => [
        drawClient({ from: at + 2, to: at + 8 }, 'orders:8082/other'),
        drawServer({ from: at + 3, to: at + 7 }, '/other'),
      ],
    ],
  ] as const) {
    test(other, () => {
      assert.deepEqual(judgeDrawing(drawRequests(3, below)), lost('error', 3));
    });
  }

  test('but not where it made the same call, which nobody continued', () => {
    assert.deepEqual(
      judgeDrawing(drawRequests(3, (at) => [drawClient({ from: at + 2, to: at + 8 })])).filter((line) =>
        line.includes('context-lost'),
      ),
      [],
    );
  });
});

suite('a single coincidence', () => {
  test('is an error where the call is expected', () => {
    const one = drawRequests(1);
    assert.deepEqual(judgeDrawing(one), lost('warning', 1));
    assert.deepEqual(judgeDrawing(`expect web -> orders\n${one}`), lost('error', 1));
  });

  test('with the call of a job stays a warning, though the call is expected', () => {
    const [call = '', served = ''] = detached(0);
    const job = `expect web -> orders\n${drawChain(1, request(0))}${drawChain(2, 'web INTERNAL "job" 9..91', call, served)}`;
    assert.deepEqual(judgeDrawing(job), lost('warning', 1));
  });
});
