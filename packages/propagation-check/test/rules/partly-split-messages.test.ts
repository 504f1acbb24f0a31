import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { judgeDrawing } from './judge-drawing.ts';

const topicOf = (system: string, name = 'orders') =>
  `messaging.system=${system} messaging.destination.name=${name}`;

interface Case {
  readonly head: string;
  readonly system: string;
  /** The messages that lose their context on the way to `worker`, of nine. */
  readonly lost: readonly number[];
  /** Messages that are not received. */
  readonly waiting: readonly number[];
  /** How long the lost messages wait; the others wait for 30 ms. */
  readonly lag: number;
  readonly name: string;
  readonly more: string;
}

const times = [0, 130, 400, 520, 900, 1010, 1400, 1530, 1700];
const shown: Case = {
  ...{ head: '', system: 'kafka', lost: [1, 4, 6], waiting: [], lag: 40 },
  ...{ name: 'process orders', more: '' },
};

function judge(changes: Partial<Case>): readonly string[] {
  const { head, system, lost, waiting, lag, name, more } = { ...shown, ...changes };
  const topic = topicOf(system);
  const traces = times.map((at, index) => {
    const send = `trace ${index + 1}\n  web PRODUCER "send orders" ${at}..${at + 5} id:m${index} ${topic}\n`;
    if (waiting.includes(index)) return send;
    return lost.includes(index)
      ? `${send}trace ${index + 101}\n  worker CONSUMER "${name}" ${at + lag}..${at + lag + 10} ${topic}\n`
      : `${send}    worker CONSUMER "process orders" ${at + 30}..${at + 40} ${topic}\n`;
  });
  return judgeDrawing(`${head}${traces.join('')}${more}`);
}

const split = ['error split-trace web -> worker 3'];
const send = (trace: number, at: number) =>
  `trace ${trace}\n  web PRODUCER "send orders" ${at}..${at + 5} ${topicOf('kafka')}\n`;
const take = (trace: number, at: number) =>
  `trace ${trace}\n  worker CONSUMER "process orders" ${at}..${at + 10} ${topicOf('kafka')}\n`;

suite('messages of an edge with whole messages that begin traces', () => {
  for (const [what, changes, expected] of [
    ['as soon after a message as whole ones', {}, split],
    ['from RabbitMQ', { system: 'rabbitmq' }, split],
    ['while the last message waits', { waiting: [8] }, split],
    ['while an earlier message waits', { waiting: [3] }, []],
    ['while another root is of an unseen sender', { more: take(300, 1200) }, []],
    ['much later than whole ones', { lag: 5_000 }, []],
    ['before a message was sent', { lag: -60 }, []],
    ['two of them', { lost: [1, 4] }, []],
    ['in spans with another name', { name: 'receive orders' }, []],
    ['where others may send', { head: 'may outside -> worker\n' }, []],
    ['where the sender may send', { head: 'may web -> worker\n' }, split],
    [
      'where a service with spans may send',
      { head: 'may shop -> worker\n', more: 'trace 400\n  shop INTERNAL "job" 0..9\n' },
      split,
    ],
    ['much later, on an expected edge', { head: 'expect web -> worker\n', lag: 5_000 }, split],
    [
      'while an earlier message waits, on an expected edge',
      { head: 'expect web -> worker\n', waiting: [3] },
      [],
    ],
  ] as const)
    test(`${what}: ${expected.length === 0 ? 'nothing' : 'an error'}`, () => {
      assert.deepEqual(judge(changes), expected);
    });

  test('more of them: one may have an unseen sender, and one may wait', () => {
    const lost = Array.from({ length: 10 }, (_, at) => 3_000 + at * 310 + ((at * at) % 7) * 40);
    const cut = lost.map((at, index) => send(500 + index, at) + take(600 + index, at + 25)).join('');
    const ten = ['error split-trace web -> worker 10'];
    assert.deepEqual(judge({ lost: [], more: cut }), ten);
    assert.deepEqual(judge({ lost: [], more: cut + take(700, 7_000) }), ten);
    assert.deepEqual(judge({ lost: [], more: cut + take(700, 7_000) + take(701, 7_100) }), []);
    assert.deepEqual(judge({ lost: [], more: cut + send(700, 3_100) }), ten);
  });
});

suite('messages of other senders at the times of messages that a program without spans receives', () => {
  const keyed = (key: string) =>
    `${topicOf('rabbitmq', 'shop')} messaging.rabbitmq.destination.routing_key=${key}`;
  const whole = [700, 1330, 3410, 6220, 8905, 12010, 17400].map(
    (at, index) =>
      `trace ${index + 1}\n  web PRODUCER "publish shop" ${at}..${at + 5} ${keyed('order.cancelled')}\n    worker CONSUMER "shop process" ${at + 60}..${at + 70} ${keyed('order.cancelled')}\n`,
  );
  const follow = (
    at: readonly number[],
    sent: (index: number) => string,
    received: (index: number) => string,
  ) =>
    judgeDrawing(
      [
        ...whole,
        ...at.map(
          (from, index) =>
            `trace ${index + 50}\n  web PRODUCER "publish shop" ${from}..${from + 5} ${keyed(sent(index))}\ntrace ${index + 80}\n  worker CONSUMER "shop process" ${from + 80}..${from + 90} ${keyed(received(index))}\n`,
        ),
      ].join(''),
    );
  const uneven = [100, 2500, 4710, 9930, 14020];

  test('with another routing key: no error', () => {
    const created = () => 'order.created';
    assert.deepEqual(follow(uneven, created, created), ['error split-trace web -> worker 5']);
    assert.deepEqual(
      follow(uneven, created, () => 'order.paid'),
      [],
    );
    const ofOrder = (index: number) => `order.${index % 5}`;
    assert.deepEqual(follow(uneven, ofOrder, ofOrder), ['error split-trace web -> worker 5']);
    assert.deepEqual(
      follow(uneven, ofOrder, (index) => ofOrder(index + 1)),
      ['warning split-trace web -> worker 5'],
    );
  });

  test('two timers with one period: a warning, or nothing if they are few', () => {
    const every = (period: number, count: number) =>
      follow(
        Array.from({ length: count }, (_, index) => index * period),
        () => 'order.tick',
        () => 'order.tick',
      );
    assert.deepEqual(every(5_000, 5), ['warning split-trace web -> worker 5']);
    assert.deepEqual(every(2_700, 3), []);
  });
});

suite('two services that receive all messages', () => {
  const both = (system: string, lost: readonly number[], waiting: readonly number[] = []) => {
    const topic = topicOf(system);
    const traces = times.map((at, index) => {
      const audit = `audit CONSUMER "audit orders" ${at + 35}..${at + 45} ${topic}\n`;
      const sent = `trace ${index + 1}\n  web PRODUCER "send orders" ${at}..${at + 5} ${topic}\n    worker CONSUMER "process orders" ${at + 30}..${at + 40} ${topic}\n`;
      if (waiting.includes(index)) return sent;
      return sent + (lost.includes(index) ? `trace ${index + 101}\n  ${audit}` : `    ${audit}`);
    });
    return judgeDrawing(traces.join(''));
  };
  const all = times.map((_, index) => index);

  test('one of them loses the context of three', () => {
    assert.deepEqual(both('kafka', [1, 4, 6]), ['error split-trace web -> audit 3']);
    assert.deepEqual(both('kafka', [], [1, 4, 6]), []);
  });
  test('one of them loses the context of three messages of an exchange', () => {
    assert.deepEqual(both('rabbitmq', [1, 4, 6]), ['error split-trace web -> audit 3']);
  });
  test('one of them loses all: a warning, as nobody expects the edge', () => {
    assert.deepEqual(both('kafka', all), ['warning split-trace web -> audit 9']);
    assert.deepEqual(both('azure_eventhubs', all), ['warning split-trace web -> audit 9']);
  });
  test('a queue gives each message to one service: the roots are messages of others', () => {
    assert.deepEqual(both('rabbitmq', all), []);
  });
});

suite('messages that another service received, on an expected edge', () => {
  const between = (system: string) => {
    const topic = topicOf(system);
    const traces = times.map((at, index) => {
      const receiver = index % 3 === 1 ? 'audit' : 'worker';
      const sent = `trace ${index + 1}\n  web PRODUCER "send orders" ${at}..${at + 5} ${topic}\n    ${receiver} CONSUMER "process orders" ${at + 30}..${at + 40} ${topic}\n`;
      // Messages of a sender without spans, soon enough to be in order.
      return receiver === 'worker'
        ? sent
        : `${sent}trace ${index + 101}\n  worker CONSUMER "process orders" ${at + 90}..${at + 99} ${topic}\n`;
    });
    return judgeDrawing(`expect web -> worker\nexpect web -> audit\n${traces.join('')}`);
  };

  test('Kafka gives each message to both: the others lost their context', () => {
    assert.deepEqual(between('kafka'), ['error split-trace web -> worker 3']);
  });
  for (const system of ['rabbitmq', 'aws_sqs', 'jms'])
    test(`${system} may give each message to one of them: nothing`, () => {
      assert.deepEqual(between(system), []);
    });
});
