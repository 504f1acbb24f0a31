import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { drawChain, explainDrawing, judgeDrawing } from './judge-drawing.ts';

interface Message {
  readonly service?: string;
  readonly queue?: string | null;
  readonly id?: string;
  readonly more?: string;
}

const conversation = '5f0c9d7e-0000-4000-8000-000000000001';
const other = conversation.replace(/1$/, '2');

const about = ({ queue = 'price', id = conversation, more = '' }: Message): string =>
  `messaging.system=rabbitmq ${queue === null ? '' : `messaging.destination.name=${queue}`} messaging.message.conversation_id=${id} ${more}`;

const send = (at: number, message: Message = {}): string =>
  `${message.service ?? 'web'} PRODUCER "publish" ${at}..${at + 5} ${about(message)}`;

const take = (at: number, message: Message = {}): string =>
  `${message.service ?? 'orders'} CONSUMER "process" ${at}..${at + 30} ${about(message)}`;

const reply: Message = { service: 'orders', queue: 'amq.gen-1' };

/** Each line as a trace of its own, or as the child of the one before. */
interface Conversation {
  readonly request?: string;
  readonly taken?: string;
  readonly answer?: string;
  readonly back?: string;
}

function draw({
  request = send(0),
  taken = take(50),
  answer = send(60, reply),
  back = take(90, { ...reply, service: 'web' }),
}: Conversation = {}): string {
  return drawChain(1, request) + drawChain(2, taken, answer) + drawChain(3, back);
}

const split = ['error split-trace web -> orders 1'];
const splitReply = ['error split-trace orders -> web 1'];

suite('a request and its reply with a correlation id and no message id', () => {
  test('are split if each was sent and received once on its destination', () => {
    assert.deepEqual(judgeDrawing(draw()), [...split, ...splitReply]);
    assert.deepEqual(judgeDrawing(draw().replaceAll('message.conversation_id', 'conversation_id')), [
      ...split,
      ...splitReply,
    ]);
    const request = send(0, { more: 'id:request' });
    assert.deepEqual(judgeDrawing(draw({ request, taken: take(50, { more: 'link:request' }) })), splitReply);
  });

  test('are not reported if one of them was not seen, or one service has both sides', () => {
    for (const conversation of [
      { answer: 'orders INTERNAL "work" 60..65' },
      { back: 'web INTERNAL "work" 90..95' },
      { taken: 'orders INTERNAL "work" 50..80' },
      { back: take(90, { ...reply, service: 'audit' }) },
      { answer: send(60, { ...reply, service: 'stock' }) },
      { request: send(0, { service: 'orders' }), back: take(90, reply) },
    ])
      assert.deepEqual(judgeDrawing(draw(conversation)), [], JSON.stringify(conversation));
  });

  test('are not reported if several messages have the id on one destination, or on a third one', () => {
    assert.equal(judgeDrawing(draw() + drawChain(9, send(10, { id: other }))).length, 2);
    for (const more of [send(10), take(55), send(60, reply)])
      assert.deepEqual(judgeDrawing(draw() + drawChain(9, more)), [], more);
    for (const at of [10, 200]) {
      const mail = drawChain(
        8,
        send(at, { queue: 'mail' }),
        take(at + 50, { queue: 'mail', service: 'audit' }),
      );
      assert.deepEqual(judgeDrawing(draw() + mail), []);
    }
    assert.deepEqual(judgeDrawing(draw().replaceAll('amq.gen-1', 'price')), []);
  });

  test('need the absence of message ids, a unique correlation id, one broker, and the right order', () => {
    const ofIds = draw({ request: send(0, { more: 'messaging.message.id=m1' }) });
    assert.deepEqual(judgeDrawing(ofIds), []);
    assert.deepEqual(judgeDrawing(draw().replaceAll(conversation, 'c7')), []);
    assert.deepEqual(judgeDrawing(draw({ request: send(0, { queue: null }) })), []);
    assert.deepEqual(judgeDrawing(draw({ request: send(0).replace('=rabbitmq', '=kafka') })), []);
    assert.deepEqual(judgeDrawing(draw({ request: send(70) })), splitReply);
  });

  test('are all in the right order; otherwise each says so', () => {
    const again = draw({ request: send(70) })
      .replaceAll(conversation, other)
      .replaceAll('amq.gen-1', 'amq.gen-2');
    const drawing = draw() + again.replaceAll('=price', '=prices').replaceAll(/trace (\d)/g, 'trace 1$1');
    assert.deepEqual(judgeDrawing(drawing), ['error split-trace orders -> web 2']);
    const reason = 'split-trace: each was sent before it was received: not all of 2';
    assert.deepEqual(
      explainDrawing(drawing).filter((line) => line.includes(reason)),
      ['PRODUCER of web', 'PRODUCER of web', 'CONSUMER of orders', 'CONSUMER of orders'].map(
        (end) => `${end}: ${reason}`,
      ),
    );
  });

  test('need PRODUCER spans: two consumers of each destination are no conversation', () => {
    const [web, orders] = [take(50, { service: 'web' }), take(50)];
    const replies = [take(90, reply), take(90, { ...reply, service: 'web' })];
    const lines = [web, orders, ...replies].map((line, at) => drawChain(at + 1, line));
    assert.deepEqual(judgeDrawing(lines.join('')), []);
  });

  test('are judged for each pair of services', () => {
    const stock = draw().replaceAll(conversation, other).replaceAll('orders', 'stock');
    const apart = stock.replaceAll(/trace (\d)/g, 'trace 1$1').replaceAll('amq.gen-1', 'amq.gen-2');
    assert.equal(judgeDrawing(draw() + apart).length, 4);
  });
});
