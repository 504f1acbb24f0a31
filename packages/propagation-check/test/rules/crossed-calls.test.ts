import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { drawClient, drawServer, explainDrawing, judgeDrawing } from './judge-drawing.ts';

const times = [0, 1000, 2000];
const isNamed = (line: string): boolean => line.includes('wrong-parent');
const judge = (drawing: string): readonly string[] => judgeDrawing(drawing).filter(isNamed);
const crossed = (count: number, edge = 'web -> orders') => [`error wrong-parent ${edge} ${count}`];

/** A trace of lines, each with its depth. */
const draw = (at: number, ...lines: readonly (readonly [depth: number, line: string])[]): string =>
  `trace ${at + 1}\n${lines.map(([depth, line]) => `${'  '.repeat(depth)}${line}\n`).join('')}`;

suite('requests', () => {
  interface Beside {
    readonly service?: string;
    readonly other?: string;
    /** The target of the call that has no child. */
    readonly target?: string;
    readonly inside?: string;
  }

  const ask = (at: number, target: string) => drawClient({ from: at + 10, to: at + 80 }, target);
  const take = (at: number, path: string, service = 'orders') =>
    drawServer({ from: at + 20, to: at + 60, service }, path);

  /** Two calls side by side; both requests are below the first call. */
  const drawBoth = (
    at: number,
    {
      service = 'orders',
      other = '/shops/2',
      target = `${service}:8082/shops/2`,
      inside = '/shops/1',
    }: Beside = {},
  ) =>
    draw(
      at,
      [1, `web SERVER "GET /compare" ${at}..${at + 100} http.request.method=GET url.path=/compare`],
      [2, ask(at, target)],
      [2, ask(at, `${service}:8082/shops/1`)],
      [3, take(at, inside, service)],
      [3, take(at, other, service)],
    );
  const drawAll = (beside: Beside = {}) => times.map((at) => drawBoth(at, beside)).join('');

  test('below a call beside their own are crossed, if there are several', () => {
    assert.deepEqual(judge(drawAll()), crossed(3));
    const two = drawBoth(0) + drawBoth(1000);
    assert.deepEqual(judge(two), []);
    assert.ok(explainDrawing(two).includes('CLIENT of web: wrong-parent: there are several: 2'));
  });

  test('of each edge are reported separately', () => {
    const stock = [5000, 6000, 7000].map((at) => drawBoth(at, { service: 'stock' })).join('');
    assert.deepEqual(judge(drawAll() + stock), [...crossed(3), ...crossed(3, 'web -> stock')]);
  });

  test('are crossed only if their parent call also has its own request', () => {
    assert.deepEqual(judge(drawAll() + drawBoth(5000, { inside: '/shops/9' })), crossed(3));
  });

  test('are crossed only between calls to the same target', () => {
    const untold = (text: string) => text.replaceAll('server.port=8082', '');
    assert.deepEqual(judge(untold(drawAll())), crossed(3));
    assert.deepEqual(judge(untold(drawAll({ target: 'legacy:80/shops/2' }))), []);
  });

  test('must contradict their parent, which a missing path does not', () => {
    const withoutPath = drawAll().replaceAll(
      'url.full=http://orders:8082/shops/1',
      'server.address=orders server.port=8082',
    );
    assert.deepEqual(judge(withoutPath), []);
  });
});

suite('messages', () => {
  const kafka = 'messaging.system=kafka messaging.destination.name=jobs server.port=9092';
  /** With an id of this letter, which occurs at no other time. */
  const told = (at: number, letter: string) =>
    letter === '' ? kafka : `${kafka} messaging.message.id=${letter}${at}`;

  /** A message with the lines below it, and another message of the same trace without a child. */
  const drawMessages = (sent: string, taken: readonly string[], other: string) =>
    times
      .map((at) =>
        draw(
          at,
          [1, `web INTERNAL "work" ${at}..${at + 100}`],
          [2, `web PRODUCER "send" ${at + 5}..${at + 55} ${told(at, other)}`],
          [2, `web PRODUCER "send" ${at}..${at + 50} ${told(at, sent)}`],
          ...taken.map(
            (letter) => [3, `worker CONSUMER "process" ${at + 20}..${at + 30} ${told(at, letter)}`] as const,
          ),
        ),
      )
      .join('');

  test('are matched by their ids, once each', () => {
    assert.deepEqual(judge(drawMessages('a', ['a', 'b'], 'b')), crossed(3, 'web -> worker'));
    assert.deepEqual(judge(drawMessages('a', ['a', 'c'], 'b')), []);
  });

  test('without an id are not matched', () => {
    assert.deepEqual(judge(drawMessages('a', ['a', ''], '')), []);
    assert.deepEqual(judge(drawMessages('', ['', 'b'], 'b')), []);
  });
});
