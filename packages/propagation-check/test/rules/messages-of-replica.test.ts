import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { noExpectation } from '../../src/expect/expectation.ts';
import { thresholds } from '../../src/rules/thresholds.ts';
import { applyBaseline } from '../../src/verdict/apply-baseline.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { listOpenEdges } from '../../src/verdict/list-open-edges.ts';
import { readDrawing } from '../engine/read-drawing.ts';

const topic = 'messaging.system=kafka messaging.destination.name=orders-topic';

/** Messages that two replicas of `web` send: those of the first are linked, those of the second are not. */
interface Case {
  readonly whole: number;
  readonly sent: number;
  readonly received: number;
  /** When the first linked message is received, after the first one was sent. */
  readonly lag: number;
  /** The destination of the first replica. */
  readonly wholeTopic: string;
  /** Resource attributes of the second replica, whose messages are not linked. */
  readonly resource: string;
  readonly more: string;
}

const onPod = (pod: number) => `resource:service.instance.id=pod-${pod}`;
const shown: Case = {
  ...{ whole: 5, sent: 10, received: 10, lag: 50 },
  ...{ wholeTopic: topic, resource: onPod(2), more: '' },
};

function judge(changes: Partial<Case>) {
  const { whole, sent, received, lag, wholeTopic, resource, more } = { ...shown, ...changes };
  const send = (at: number, about: string) => `  web PRODUCER "send" ${at}..${at + 2} ${about}`;
  const receive = (at: number, to = topic) => `orders CONSUMER "process" ${at}..${at + 10} ${to}`;
  const draw = (count: number, drawOne: (at: number) => string) =>
    Array.from({ length: count }, (_, at) => drawOne(at * 1_000));
  const traces = [
    ...draw(whole, (at) => `${send(at, `${wholeTopic} ${onPod(1)}`)}\n    ${receive(at + 50, wholeTopic)}`),
    ...draw(sent, (at) => send(at + 400, `${topic} ${resource}`)),
    ...draw(received, (at) => `  ${receive(at + 400 + lag)}`),
    '  web INTERNAL "end" 90000..90001',
    ...(more === '' ? [] : [more]),
  ];
  return checkTraces(readDrawing(traces.map((trace, at) => `trace ${at + 1}\n${trace}`).join('\n')).spans);
}

const warns = (changes: Partial<Case>) => judge(changes).findings.some(({ id }) => id === 'split-trace');

suite('messages of a replica that writes no context', () => {
  for (const [name, changes, isShown] of [
    ['as many are received as were sent', {}, true],
    ['one of ten is not received yet', { received: 9 }, true],
    ['two of ten are not received', { received: 8 }, false],
    ['one of ten was sent before the capture', { sent: 9 }, true],
    ['two more are received than were sent', { sent: 8 }, false],
    ['they are received before they were sent', { lag: -2_500 }, false],
    ['few others are whole', { whole: 4 }, false],
    ['one of those sent names no replica', { more: `  web PRODUCER "send" 60000..60002 ${topic}` }, false],
    ['another service receives some', { more: `  audit CONSUMER "process" 600..610 ${topic}` }, false],
    [
      'another sender has lost some',
      { more: `  shop PRODUCER "send" 600..602 ${topic} resource:service.instance.id=s` },
      false,
    ],
    [
      'another sender, which names no replica, has lost some',
      { more: `  batch PRODUCER "send" 600..602 ${topic}` },
      false,
    ],
    ['they name no replica', { resource: '' }, false],
    [
      'one of the whole ones names no replica',
      {
        more: `  web PRODUCER "send" 600..602 ${topic}\n    orders CONSUMER "process" 620..630 ${topic}`,
      },
      false,
    ],
    [
      'the whole ones went to another destination',
      { wholeTopic: topic.replace('orders-topic', 'mails') },
      false,
    ],
    [
      'the same replica sends whole ones to another destination',
      {
        more: `  web PRODUCER "send" 600..602 ${topic.replace('orders-topic', 'mails')} ${onPod(2)}\n    orders CONSUMER "process" 620..630 ${topic.replace('orders-topic', 'mails')}`,
      },
      true,
    ],
    [
      'the same replica makes whole calls',
      {
        more: `  web CLIENT "GET" 600..640 http.request.method=GET url.full=http://orders/o ${onPod(2)}\n    orders SERVER "GET /o" 610..630 http.request.method=GET url.path=/o`,
      },
      true,
    ],
    [
      'another broker',
      { more: `  orders CONSUMER "process" 600..610 ${topic.replace('kafka', 'rabbitmq')}` },
      false,
    ],
  ] as const)
    test(`${name}: ${isShown ? 'a warning' : 'nothing'}`, () => {
      assert.equal(warns(changes), isShown);
    });

  test('leave the edge open if the replica sent most, until a baseline accepts it; not if others are open as well', () => {
    const result = judge({});
    assert.deepEqual([result.verdict, result.undecided?.[0]?.finding], ['unknown', 'split-trace']);
    const edge = { client: 'web', server: 'orders', protocol: 'messaging' } as const;
    const verdicts = [[], [{ ...edge, finding: 'split-trace' as const }]].map(
      (baseline) => applyBaseline(result, baseline).verdict,
    );
    assert.deepEqual(verdicts, ['unknown', 'intact']);
    for (const [calls, finding] of [
      [4, 'split-trace'],
      [5, undefined],
    ] as const) {
      const open = { ...edge, calls, spans: [], says: 'five more' };
      const [undecided] = listOpenEdges(result, [open], noExpectation, thresholds);
      assert.match(
        undecided?.says ?? '',
        /^5 of \d+ messages judged \(split-trace leaves the others open\); .*; five more$/,
      );
      assert.equal(undecided?.finding, finding);
    }
  });
});
