import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { byStart } from '../../src/span/span.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { drawChain, judgeDrawing, listCauses } from './judge-drawing.ts';

const about = (topic: string): string => `messaging.system=kafka messaging.destination.name=${topic}`;

const sent = [1, 2, 3]
  .map((number) =>
    drawChain(number, `web PRODUCER "send" ${number * 1000}..${number * 1000 + 5} ${about('orders')}`),
  )
  .join('');

/** Links to a span that is not in the capture, unless another target is named. */
const receive = (number: number, at: number, topic = 'orders', link = 'gone', kind = 'CONSUMER'): string =>
  drawChain(number, `worker ${kind} "process" ${at}..${at + 20} link:${link} ${about(topic)}`);

const gone = drawChain(90, 'lost id:gone') + drawChain(91, 'lost id:later');
const end = drawChain(99, 'web INTERNAL "end" 90000..90001');

function judge(drawing: string, expectation = '') {
  const { spans, ...options } = readDrawing(`${expectation}\n${drawing}${gone}${end}`);
  const result = checkTraces(spans.toReversed(), options);
  const linked = spans.filter(({ links }) => links.length > 0).sort(byStart);
  const linkOf = linked[0]?.links[0];
  return { ...result, link: `span ${linkOf?.spanId} of trace ${linkOf?.traceId}` };
}

suite('messages that link to spans outside the capture', () => {
  const doubt = (drawing: string): readonly (string | undefined)[] =>
    judge(sent + drawing, 'expect web -> worker')
      .findings.filter(({ id }) => id === 'missing-server')
      .map((finding) => finding.doubt?.replace(/:.*/, ''));

  test('leave open whether the messages of the expected sender are received', () => {
    const two = receive(4, 5000) + receive(5, 6000);
    assert.deepEqual(doubt(two), ['2 messages of worker from orders link to spans that are not here']);
    const { findings, link } = judge(sent + two, 'expect web -> worker');
    const [finding] = findings.filter(({ id }) => id === 'missing-server');
    assert.equal(finding?.severity, 'warning');
    assert.ok(finding?.decide?.[0]?.includes(link));
    assert.ok(!finding?.candidates?.includes('server-not-instrumented'));
  });

  test('say nothing about other destinations, and must be CONSUMER spans without other links', () => {
    assert.deepEqual(doubt(receive(4, 5000, 'mails')), [undefined]);
    assert.deepEqual(doubt(receive(4, 5000, 'orders', 'gone', 'INTERNAL')), [undefined]);
    const unnamed = (sent + receive(4, 5000)).replaceAll(/messaging.destination.name=\S+/g, '');
    const { findings } = judge(unnamed, 'expect web -> worker');
    assert.deepEqual(
      findings.filter((finding) => finding.doubt !== undefined),
      [],
    );
    const own = drawChain(5, 'worker INTERNAL "poll" 4900..4990 id:own');
    assert.deepEqual(doubt(receive(4, 5000, 'orders', 'own') + own), [undefined]);
  });
});

suite('messages that nobody in the capture received', () => {
  const list = (drawing: string) => {
    const { unjudged = [], link } = judge(sent + drawing);
    const { mayBe, why, facts = [] } = unjudged.find(({ peer }) => peer === 'orders') ?? {};
    return { mayBe, why, isFirst: facts.some((fact) => fact.includes(link)), facts: facts.length };
  };

  test('may be received by a service with such links: the first link says where to look', () => {
    const first = receive(5, 5000) + receive(4, 6000, 'orders', 'later');
    const found = { mayBe: ['worker'], why: 'linked-elsewhere', isFirst: true, facts: 2 };
    assert.deepEqual(list(first), found);
    assert.deepEqual(list(receive(4, 6000) + receive(5, 5000, 'orders', 'later')), found);
  });

  test('are not received from another destination, and links to spans in the capture prove nothing', () => {
    const none = { mayBe: undefined, why: undefined, isFirst: false, facts: 0 };
    assert.deepEqual(list(receive(4, 5000, 'mails')), none);
    assert.deepEqual(list(receive(4, 5000, 'orders', 'gone', 'INTERNAL')), none);
    const own = drawChain(5, 'worker INTERNAL "poll" 4900..4990 id:own');
    assert.deepEqual(list(receive(4, 5000, 'orders', 'own') + own).why, undefined);
  });
});

suite('messages of an expected edge without whole calls', () => {
  /** A request, and a message that a span of its trace sent. */
  const request = (number: number, sender: string): string =>
    `trace ${number}\n  web SERVER "POST /buy" ${number * 1000}..${number * 1000 + 30}\n    ${sender} id:sent${number}\n`;
  const receiveSent = (number: number): string =>
    receive(number + 10, number * 1000 + 40, 'orders', `sent${number}`);
  const draw = (sender: (number: number) => string): string =>
    `expect web -> worker\n${[1, 2].map((number) => request(number, sender(number)) + receiveSent(number)).join('')}`;
  const whole = (number: number): string =>
    `web PRODUCER "send" ${number * 1000 + 4}..${number * 1000 + 9} ${about('orders')}`;

  test('carry the context of spans that never arrived', () => {
    const drawing = draw(() => 'lost');
    assert.deepEqual(judgeDrawing(drawing), ['error missing-client web -> worker 2']);
    assert.deepEqual(listCauses(drawing), [
      'client-span-lost',
      'not-sampled',
      'header-rewritten',
      'external-parent',
    ]);
  });

  test('carry it beside requests of other callers, which began traces of their own', () => {
    const status = drawChain(30, 'worker SERVER "GET /status" 500..505');
    assert.deepEqual(judgeDrawing(draw(() => 'lost') + status), ['error missing-client web -> worker 2']);
  });

  test('carry it too if no span of the sender is in the data', () => {
    const alone = `expect web -> worker\n${gone}${receive(11, 1040)}${receive(12, 2040)}`;
    assert.deepEqual(judgeDrawing(alone), ['error missing-client web -> worker 2']);
  });

  test('may be of another sender, if whole calls reach the service and the expected one has no span', () => {
    const other = drawChain(
      40,
      `shop PRODUCER "send" 0..5 ${about('orders')}`,
      `worker CONSUMER "process" 9..20 ${about('orders')}`,
    );
    assert.deepEqual(judgeDrawing(`expect web -> worker\n${gone}${receive(11, 1040)}${other}`), []);
  });

  test('are whole if the spans to which they link arrived', () => {
    assert.deepEqual(judgeDrawing(draw(whole)), []);
  });
});
