import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { drawChain, judgeDrawing } from './judge-drawing.ts';

interface Batch {
  readonly topic?: string;
  readonly reader?: string;
  /** How many messages the batch span says it has. */
  readonly holds?: number;
  readonly links?: readonly string[];
}

const about = (topic: string): string => `messaging.system=kafka messaging.destination.name=${topic}`;

/** Messages in traces of their own, with labels of this prefix. */
const send = (from: number, prefix: string, senders: readonly string[], topic = 'events'): string =>
  senders
    .map((sender, at) =>
      drawChain(
        1 + from + at,
        `${sender} PRODUCER "send" ${from + at * 10}..${from + at * 10 + 5} id:${prefix}${at} ${about(topic)}`,
      ),
    )
    .join('');

const poll = (
  at: number,
  { topic = 'events', reader = 'batcher', holds = 4, links = [] }: Batch,
  number = 500 + at,
): string =>
  drawChain(
    number,
    `${reader} CONSUMER "poll" ${at}..${at + 30} ${links.map((link) => `link:${link}`).join(' ')} ${about(topic)} messaging.batch.message_count=${holds}`,
  );

const web = Array.from({ length: 4 }, () => 'web');
const sent = send(0, 'm', web);
const first = poll(200, { links: ['m0'] });
const split = ['error split-trace web -> batcher 3'];

suite('batches that link to some of their messages', () => {
  test('are split from three messages on that no batch links to', () => {
    assert.deepEqual(judgeDrawing(sent + first), split);
    assert.deepEqual(judgeDrawing(sent + poll(200, { holds: 3, links: ['m0', 'm1'] })), []);
    assert.deepEqual(judgeDrawing(send(0, 'm', web.slice(1)) + poll(200, { holds: 3, links: ['m0'] })), []);
  });

  test('do not lack messages that were sent later or to another topic, or spans that are no messages', () => {
    for (const more of [
      send(900, 'n', ['web']),
      send(100, 'n', ['web'], 'others'),
      drawChain(99, `web CLIENT "commit" 150..160 ${about('events')}`),
    ])
      assert.deepEqual(judgeDrawing(sent + first + more), split);
  });

  test('are judged for each sender, topic and receiver', () => {
    const ofTwo = send(0, 'm', ['web', 'web', 'shop', 'web', 'shop']);
    assert.deepEqual(judgeDrawing(ofTwo + poll(200, { holds: 5, links: ['m0', 'm2'] })), []);
    const senders = send(0, 'm', ['web', 'web', 'web']) + send(50, 'n', ['shop', 'shop', 'shop']);
    assert.deepEqual(
      judgeDrawing(senders + poll(200, { holds: 3, links: ['m0'] }) + poll(300, { holds: 3, links: ['n0'] })),
      ['error split-trace web -> batcher 2', 'error split-trace shop -> batcher 2'],
    );
    const others = send(50, 'n', web, 'others') + poll(300, { topic: 'others', links: ['n0'] });
    assert.deepEqual(judgeDrawing(sent + first + others), ['error split-trace web -> batcher 6']);
    const audit = poll(300, { reader: 'audit', links: ['m0'] });
    assert.deepEqual(judgeDrawing(sent + first + audit).toSorted(), [
      'error split-trace web -> audit 3',
      ...split,
    ]);
  });

  test('have no limit on links if their numbers of links differ', () => {
    const more = send(300, 'n', web);
    const batches = [
      poll(200, { links: ['m0', 'm1'] }),
      poll(400, { links: ['n0', 'n1', 'n2'] }),
      poll(400, { links: ['n0', 'n1'] }),
    ];
    assert.deepEqual(judgeDrawing(sent + more + batches[0] + batches[1]), split);
    assert.deepEqual(judgeDrawing(sent + more + batches[0] + batches[2]), []);
  });

  test('are not reported if the batch is the child of its message', () => {
    const child = `batcher CONSUMER "poll" 200..230 ${about('events')} messaging.batch.message_count=4`;
    const parent = drawChain(1, `web PRODUCER "send" 0..5 ${about('events')}`, child);
    assert.deepEqual(judgeDrawing(parent + send(10, 'm', web)), []);
  });
});
