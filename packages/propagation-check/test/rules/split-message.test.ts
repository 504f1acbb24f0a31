import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { drawChain, guessCause, judgeDrawing } from './judge-drawing.ts';

interface Message {
  readonly id?: string;
  /** Null leaves the attribute out. */
  readonly queue?: string | null;
  readonly service?: string;
  readonly name?: string;
  readonly label?: string;
}

const about = ({ id, queue = 'jobs', label = '' }: Message): string =>
  `messaging.system=kafka ${queue === null ? '' : `messaging.destination.name=${queue}`} ${id === undefined ? '' : `messaging.message.id=${id}`} ${label}`;

const send = (at: number, message: Message = {}): string =>
  `${message.service ?? 'web'} PRODUCER "send" ${at}..${at + 10} ${about(message)}`;

const take = (at: number, message: Message = {}): string =>
  `${message.service ?? 'orders'} CONSUMER "${message.name ?? 'process'}" ${at}..${at + 30} ${about(message)}`;

const handle = (service: string, more = ''): string =>
  `${service} SERVER "handle" 50..80 faas.trigger=pubsub ${more}`;

/** Each line as a trace of its own. */
const apart = (...lines: readonly string[]): string =>
  lines.map((line, at) => drawChain(at + 1, line)).join('');

const orphan = (line: string): string => `trace 500\n  lost\n    ${line}\n`;

const split = ['error split-trace web -> orders 1'];

suite('messages with ids', () => {
  const id = 'm1';

  test('must be of one queue, as far as queues are known', () => {
    assert.deepEqual(judgeDrawing(apart(send(0, { id }), take(50, { id }))), split);
    assert.deepEqual(judgeDrawing(apart(send(0, { id, queue: null }), take(50, { id }))), split);
    assert.deepEqual(judgeDrawing(apart(send(0, { id }), take(50, { id, queue: null }))), split);
    assert.deepEqual(judgeDrawing(apart(send(0, { id }), take(50, { id, queue: 'mail' }))), []);
    assert.deepEqual(
      judgeDrawing(apart(send(0, { id }), handle('orders', 'messaging.message.id=m1'))),
      split,
    );
  });

  test('may first be received without a link, and may be split for one service while another has the link', () => {
    const sent = send(0, { id, label: 'id:sent' });
    const linked = { id, label: 'link:sent' };
    assert.deepEqual(judgeDrawing(apart(sent, take(50, { id, name: 'receive' }), take(60, linked))), []);
    assert.deepEqual(
      judgeDrawing(apart(sent, take(50, { id }), take(60, { ...linked, service: 'audit' }))),
      split,
    );
  });

  test('are judged for each pair of services, and explain the other messages of their edge', () => {
    const two = apart(
      send(0, { id }),
      take(50, { id }),
      send(100, { id: 'm2' }),
      take(150, { id: 'm2', service: 'stock' }),
    );
    assert.deepEqual(judgeDrawing(two), [...split, 'error split-trace web -> stock 1']);
    const rest = apart(send(0, { id }), take(50, { id }), send(100), take(150));
    assert.deepEqual(judgeDrawing(`expect web -> orders\n${rest}`), split);
  });

  test('are judged for each sender; a span that acknowledges a message does not send it', () => {
    const two = apart(send(0, { id }), take(50, { id }), send(100, { id: 'm2', service: 'shop' }));
    assert.deepEqual(judgeDrawing(two + drawChain(90, take(150, { id: 'm2' }))), [
      ...split,
      'error split-trace shop -> orders 1',
    ]);
    const acknowledge = `web CLIENT "ack" 0..10 ${about({ id })}`;
    assert.deepEqual(judgeDrawing(apart(acknowledge, take(50, { id }))), []);
  });

  test('may be sent by a CLIENT span if no PRODUCER span has the id and nobody received a context', () => {
    const boto = (at: number, method = 'SendMessage') =>
      `web CLIENT "SQS.${method}" ${at}..${at + 10} rpc.system=aws-api rpc.service=SQS rpc.method=${method} ${about({ id })}`;
    assert.deepEqual(judgeDrawing(apart(boto(0), take(50, { id }))), split);
    assert.deepEqual(judgeDrawing(apart(boto(0), take(50, { id: 'm2' }))), []);
    assert.deepEqual(judgeDrawing(apart(boto(0), boto(20), take(50, { id }))), []);
    assert.deepEqual(judgeDrawing(apart(boto(0, 'ReceiveMessage'), take(50, { id }))), []);
    assert.deepEqual(judgeDrawing(apart(boto(0), send(5, { id, service: 'shop' }), take(50, { id }))), [
      'error split-trace shop -> orders 1',
    ]);
    const handled = drawChain(90, 'web SERVER "POST" -5..20 id:handled', boto(0));
    const received = drawChain(91, take(50, { id }));
    assert.deepEqual(judgeDrawing(handled + received), split);
    const worked = drawChain(92, take(60, { id, name: 'work', label: 'link:handled' }));
    assert.deepEqual(judgeDrawing(handled + received + worked), []);
    assert.deepEqual(judgeDrawing(handled.replace('m1', 'm2') + received + worked), []);
  });

  test('are split if they were received again, or while another was delivered', () => {
    const linked = { id, label: 'link:sent' };
    const handedOver = apart(
      send(0, { id, label: 'id:sent' }),
      take(50, { id, name: 'receive' }),
      take(60, linked),
    );
    const again = drawChain(90, take(70, { ...linked, name: 'receive' }));
    assert.deepEqual(judgeDrawing(handedOver + again), split);
    const ofTwo = apart(send(0, { id, label: 'id:sent' }), take(50, { id }));
    const others = ['audit', 'stock'].map((service, at) =>
      drawChain(90 + at, take(60, { ...linked, service })),
    );
    assert.deepEqual(judgeDrawing(ofTwo + others.join('')), split);
    const other = { id: 'm2' };
    assert.deepEqual(
      judgeDrawing(
        handedOver + drawChain(91, send(5, other)) + drawChain(92, take(55, { ...other, name: 'receive' })),
      ),
      split,
    );
  });

  test('may be of a subscription with another name if a broker assigned the id', () => {
    const judgeId = (made: string) =>
      judgeDrawing(apart(send(0, { id: made }), take(50, { id: made, queue: 'subscription' })));
    for (const made of ['123456789012', '0a1b2c3d-0000-4000-8000-000000000001', '0123456789ABCDEF'])
      assert.deepEqual(judgeId(made), split, made);
    for (const made of [
      '12345678901',
      '0123456789abcde',
      'job-0123456789abcdef',
      '0123456789abcdef-job',
      'new-order-created',
    ])
      assert.deepEqual(judgeId(made), [], made);
  });

  test('with numeric ids only match between services that share the queue', () => {
    const judgeNumber = (number: string, ...shared: readonly string[]) =>
      judgeDrawing(
        shared.map((queue, at) => drawChain(80 + at, send(-900, { queue }), take(-850, { queue }))).join('') +
          apart(send(0, { id: number }), take(50, { id: number })),
      );
    for (const number of ['7', '42']) {
      assert.deepEqual(judgeNumber(number, 'mail'), []);
      assert.deepEqual(judgeNumber(number, 'jobs'), split);
      assert.deepEqual(judgeNumber(number, 'mail', 'jobs'), split);
    }
    assert.deepEqual(judgeNumber('7a'), split);
  });
});

suite('messages of Kafka without ids', () => {
  const at = (offset: number, partition = 0) =>
    `messaging.kafka.message.offset=${offset} messaging.destination.partition.id=${partition}`;

  test('are identified by topic, partition and offset', () => {
    assert.deepEqual(judgeDrawing(apart(send(0, { label: at(7) }), take(50, { label: at(7) }))), split);
    const older = at(7).replaceAll(/message\.offset|destination\.partition\.id/g, (name) =>
      name === 'message.offset' ? name : 'kafka.partition',
    );
    assert.deepEqual(judgeDrawing(apart(send(0, { label: older }), take(50, { label: at(7) }))), split);
  });

  test('may be of another cluster if another consumer continued the message, or one was received before it was sent', () => {
    const sent = send(0, { label: `${at(7)} id:sent` });
    const linked = { service: 'audit', label: `${at(7)} link:sent` };
    assert.deepEqual(judgeDrawing(apart(sent, take(40, linked), take(50, { label: at(7) }))), []);
    assert.deepEqual(judgeDrawing(apart(send(100, { label: at(7) }), take(50, { label: at(7) }))), []);
  });

  test('are different at another offset, partition or topic, or if one of these is unknown', () => {
    for (const other of [
      { label: at(8) },
      { label: at(7, 1) },
      { label: at(7), queue: 'others' },
      { label: at(7), queue: null },
      { label: 'messaging.kafka.message.offset=7' },
    ]) {
      assert.deepEqual(judgeDrawing(apart(send(0, { label: at(7) }), take(50, other))), []);
    }
  });
});

suite('an expected edge without a whole message', () => {
  const judge = (...lines: readonly string[]) => judgeDrawing(`expect web -> orders\n${apart(...lines)}`);

  test('is split if both sides have messages, of one queue as far as queues are known', () => {
    assert.deepEqual(judge(send(0), take(50)), split);
    assert.deepEqual(judge(send(0), take(50, { queue: null })), split);
    assert.deepEqual(judge(send(0, { queue: null }), take(50)), split);
    assert.deepEqual(judge(send(0), take(50, { queue: 'mail' })), ['error missing-call web -> orders 0']);
  });

  test('needs a message that the caller sent', () => {
    const web = 'web SERVER "GET /" 0..10 http.request.method=GET';
    assert.deepEqual(judge(send(0, { service: 'shop' }), web, take(50)), [
      'error missing-call web -> orders 1',
    ]);
    const asked = 'web CLIENT "GET" 0..10 http.request.method=GET url.full=http://broker/';
    assert.deepEqual(judge(asked, take(50)), ['error missing-call web -> orders 0']);
  });

  test('needs a message that the callee received', () => {
    const got = 'orders SERVER "GET /" 900..910 http.request.method=GET url.path=/';
    const isSplit = (drawing: string) => judgeDrawing(drawing).some((line) => line.includes('split-trace'));
    const head = 'expect web -> orders\n';
    for (const queue of ['jobs', null]) {
      assert.ok(!isSplit(head + apart(send(0, { queue }), got)));
      assert.ok(!isSplit(head + apart(send(0, { queue }), got) + orphan(handle('stock'))));
    }
  });

  test('is split if messages are below the span of a batch, and neither has a link', () => {
    const poll = (more = '') => `orders CLIENT "poll" 40..90 ${about({ label: more })}`;
    const judgeBatch = (...lines: readonly string[]) =>
      judgeDrawing(`expect web -> orders\n${apart(send(0, { label: 'id:sent' }))}${drawChain(90, ...lines)}`);
    assert.deepEqual(judgeBatch(poll(), take(50)), split);
    assert.deepEqual(judgeBatch(poll(), take(50, { label: 'link:sent' })), []);
    assert.deepEqual(judgeBatch(poll(), take(50, { queue: 'mail' })), [
      'error missing-server web -> orders 1',
    ]);
    const cron = 'orders INTERNAL "cron" 40..90';
    assert.deepEqual(judgeBatch(cron, take(50)), ['error missing-server web -> orders 1']);
    const publish = `shop CLIENT "publish" 40..90 ${about({})}`;
    assert.deepEqual(judgeBatch(publish, take(50)), ['error missing-server web -> orders 1']);
    assert.deepEqual(judgeBatch('orders INTERNAL "loop" 30..95', poll(), take(50)), [
      'error missing-server web -> orders 1',
    ]);
    const linked = drawChain(91, poll('link:other'), take(50));
    assert.deepEqual(
      judgeDrawing(
        `expect web -> orders\n${apart(send(0), send(1, { service: 'shop', label: 'id:other' }))}${linked}`,
      ),
      ['error missing-call web -> orders 0'],
    );
  });

  test('may lead to a function whose platform writes a parent of its own', () => {
    assert.deepEqual(judge(send(0), handle('orders')), split);
    assert.deepEqual(judge(send(0), handle('orders'), take(90)), split);
    assert.deepEqual(
      judgeDrawing(`expect web -> orders\n${apart(send(0))}${orphan(handle('orders'))}`),
      split,
    );
    assert.deepEqual(judgeDrawing(`expect web -> orders\n${apart(send(0))}${orphan(take(50))}`), [
      'error missing-server web -> orders 1',
    ]);
  });

  test('is not split if other services received the messages with their context', () => {
    const whole = drawChain(90, send(0), take(30, { service: 'audit' }));
    assert.deepEqual(judgeDrawing(`expect web -> orders\n${whole}${apart(take(50))}`), split);
    const ofOthers = drawChain(90, send(0, { service: 'shop' }), take(30, { service: 'audit' }));
    const web = 'web SERVER "GET /" 0..10 http.request.method=GET';
    assert.deepEqual(judgeDrawing(`expect web -> orders\n${ofOthers}${apart(take(50), web)}`), [
      'error missing-call web -> orders 1',
    ]);
  });
});

suite('an expected edge on which some messages are whole', () => {
  const pairs = [0, 100, 200, 300].flatMap((at) => [send(at), take(at + 50)]);
  const judge = (lines: readonly string[], head = 'expect web -> orders\n') =>
    judgeDrawing(`${head}${drawChain(900, send(-900), take(-850))}${apart(...lines)}`);

  test('is split if equally many are lost on both sides, each sent before it was received', () => {
    assert.deepEqual(judge(pairs), ['error split-trace web -> orders 4']);
    assert.deepEqual(judge([...pairs, take(900)]), []);
    assert.deepEqual(judge([...pairs, send(900)]), []);
    assert.deepEqual(judge([take(-50), ...pairs.filter((_, at) => at !== 1)]), []);
    assert.deepEqual(judge(pairs, 'may web -> orders\n'), []);
  });

  test('is split if CLIENT spans send, as far as whole messages have their context', () => {
    const asClient = (line: string) =>
      line.replace(/PRODUCER (.*)/, 'CLIENT $1 messaging.operation.type=send');
    const sent = pairs.map(asClient);
    const head = 'expect web -> orders\n';
    const whole = head + drawChain(900, asClient(send(-900)), take(-850));
    assert.deepEqual(judgeDrawing(whole + apart(...sent)), ['error split-trace web -> orders 4']);
    assert.deepEqual(judgeDrawing(whole + apart(...sent, asClient(send(900)))), []);
    assert.deepEqual(judgeDrawing(whole.replace('=send', '=receive') + apart(...sent)), []);
    const around = drawChain(
      900,
      'web SERVER "POST" -910..-880',
      asClient(send(-900)).replace('CLIENT', 'INTERNAL'),
      take(-850),
    );
    assert.deepEqual(judgeDrawing(head + around + apart(...sent)), []);
  });

  test('distinguishes what a service does with its messages', () => {
    assert.deepEqual(judge(pairs.map((line) => line.replace('process', 'receive'))), []);
    assert.deepEqual(judge(pairs.map((line) => line.replace('web', 'shop'))), []);
  });

  test('is split on a queue without whole messages, if as many are received as sent', () => {
    const other = pairs.map((line) => line.replace('name=jobs', 'name=mail'));
    assert.deepEqual(judge(other), ['error split-trace web -> orders 4']);
    assert.deepEqual(judge(other.map((line) => line.replace('process', 'receive'))), [
      'error split-trace web -> orders 4',
    ]);
    assert.deepEqual(judge([...other, take(900, { queue: 'mail' })]), []);
  });

  test('is not split for requests and calls without a queue', () => {
    const judgeUnnamed = (lines: readonly string[], whole: readonly string[]) =>
      judgeDrawing(`expect web -> orders\n${drawChain(900, ...whole)}${apart(...lines)}`);
    const at = [0, 100, 200, 300];
    const unnamed = { queue: null };
    const calls = at.flatMap((from) => [`web CLIENT "run" ${from}..${from + 10}`, take(from + 50, unnamed)]);
    assert.deepEqual(judgeUnnamed(calls, [send(-900, unnamed), take(-850, unnamed)]), []);
    const get = (from: number) => `orders SERVER "GET" ${from}..${from + 10} http.request.method=GET`;
    const requests = at.flatMap((from) => [send(from, unnamed), get(from + 50)]);
    const call = 'web CLIENT "GET" -900..-800 http.request.method=GET url.full=http://orders/';
    assert.deepEqual(judgeUnnamed(requests, [call, get(-880)]), []);
  });
});

suite("work that a platform's API passes on", () => {
  const put = (method: string) =>
    `web CLIENT "${method}" 0..20 rpc.system=aws-api rpc.service=EventBridge rpc.method=${method}`;
  const post = 'web CLIENT "POST" 2..18 http.request.method=POST url.full=https://events.amazonaws.com/';
  const drawPut = (...lines: readonly string[]) =>
    `expect web -> orders\n${drawChain(1, ...lines)}${drawChain(2, handle('orders'))}`;

  test('belongs to the expected function if that received nothing else', () => {
    for (const drawing of [drawPut(put('PutEvents')), drawPut(put('PutEvents'), post)]) {
      assert.deepEqual(judgeDrawing(drawing), split);
      assert.equal(guessCause(drawing), 'header-not-sent');
    }
  });

  test('is not reported for other calls to such an API', () => {
    const drawing = drawPut(put('DescribeRule'));
    assert.deepEqual(judgeDrawing(drawing), ['error missing-call web -> orders 0']);
    assert.equal(guessCause(drawing), 'client-not-instrumented');
  });

  test('has another first cause than messages, whose functions can read the context', () => {
    const beside = drawPut(put('PutEvents')) + drawChain(3, send(5, { queue: null }));
    assert.equal(guessCause(beside), 'header-ignored');
    assert.equal(guessCause(beside + drawChain(4, take(90, { queue: null }))), 'header-not-sent');
  });

  test('may reach a function whose trigger is unknown', () => {
    const drawing = drawPut(put('StartExecution')).replace('faas.trigger=pubsub', 'faas.trigger=other');
    assert.equal(guessCause(drawing), 'header-not-sent');
  });
});
