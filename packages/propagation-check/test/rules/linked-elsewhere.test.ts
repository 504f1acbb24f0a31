import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { byStart } from '../../src/span/span.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { drawChain } from './judge-drawing.ts';

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
