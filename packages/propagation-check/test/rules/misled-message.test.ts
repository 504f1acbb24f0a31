import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';
import { explainDrawing, judgeDrawing } from './judge-drawing.ts';

interface Place {
  readonly at?: number;
  readonly topic?: string;
  readonly more?: string;
}

const about = (topic: string, more: string): string =>
  `${topic === '' ? '' : `messaging.destination.name=${topic}`} ${more}`;

const send = ({ at = 5, topic = 'orders', more = 'messaging.system=kafka' }: Place = {}): string =>
  `    web PRODUCER "send" ${at}..${at + 5} ${about(topic, more)}`;

const receive = (
  { at = 50, topic = 'orders', more = 'messaging.system=kafka' }: Place = {},
  service = 'worker',
): string => `    ${service} CONSUMER "process" ${at}..${at + 20} ${about(topic, more)}`;

/** A request and the lines below it. */
const draw = (...lines: readonly string[]): string =>
  [
    'trace 1',
    '  web SERVER "POST" 0..40 id:request http.request.method=POST url.path=/orders',
    ...lines,
    '',
  ].join('\n');

const id = (text: string): string => `messaging.system=kafka messaging.message.id=${text}`;
const misled = ['warning wrong-parent web -> worker 1'];

suite('a message that names a span around its PRODUCER span', () => {
  test('is reported, even if it is received as soon as it is sent', () => {
    assert.deepEqual(judgeDrawing(draw(send(), receive())), misled);
    assert.deepEqual(judgeDrawing(draw(send(), receive({ at: 5 }))), misled);
    assert.deepEqual(judgeDrawing(draw(send(), receive(), receive({}, 'audit'))).toSorted(), [
      'warning wrong-parent web -> audit 1',
      ...misled,
    ]);
  });

  test('must be received after it was sent', () => {
    const drawing = draw(send(), send({ at: 10 }), receive({ at: 2 }), receive());
    assert.deepEqual(judgeDrawing(drawing), []);
    assert.ok(
      explainDrawing(drawing).includes(
        'PRODUCER of web: wrong-parent: each was sent before it was received: not all of 2',
      ),
    );
  });

  test('must have the destination, and must not contradict the broker, of the PRODUCER span', () => {
    assert.deepEqual(judgeDrawing(draw(send(), receive({ topic: 'mails' }))), []);
    const alone = `trace 2\n${send({ at: 90 }).slice(2)}\n`;
    assert.deepEqual(judgeDrawing(draw(send(), receive()) + alone), misled);
    assert.deepEqual(judgeDrawing(draw(send({ topic: '' }), receive({ topic: '' }))), []);
    assert.deepEqual(judgeDrawing(draw(send(), receive({ more: 'messaging.system=rabbitmq' }))), []);
  });

  test('is matched by its id if all messages have one', () => {
    const two = [send({ more: id('a') }), send({ at: 10, more: id('b') })];
    const ofSecond = draw(...two, receive({ more: id('b') }));
    assert.deepEqual(listEvidence(ofSecond), ['certain 10']);
    assert.deepEqual(judgeDrawing(draw(...two, receive({ more: id('c') }))), []);
    const bare = draw(send(), send({ at: 10, more: id('b') }), receive({ more: id('b') }));
    assert.deepEqual(listEvidence(bare), ['likely 5']);
    const other = draw(send({ more: id('a') }), send({ at: 10 }), receive({ more: id('b') }));
    assert.deepEqual(listEvidence(other), ['likely 5']);
    const another =
      draw(send({ more: id('a') }), receive({ more: id('a') })) +
      draw(send(), receive()).replace('trace 1', 'trace 2').replace('id:request', '');
    assert.deepEqual(listEvidence(another), ['likely 5,5']);
  });

  test('is not reported if another PRODUCER span of the message is its ancestor', () => {
    const own = `${send()}\n  ${receive()} link:request`;
    assert.deepEqual(judgeDrawing(draw(own, send({ at: 20 }))), []);
  });

  test('may name the CLIENT span to the broker, whose context it continues', () => {
    const call = send({ at: 2 }).replace('PRODUCER', 'CLIENT');
    assert.deepEqual(judgeDrawing(draw(call, `  ${send()}`, `  ${receive()}`)), []);
  });

  test('belongs to the service that was called, not to one further down', () => {
    const beyond = [
      '    shop SERVER "POST" 2..30 http.request.method=POST url.path=/shop',
      `  ${send().replace('web', 'shop')}`,
    ];
    assert.deepEqual(judgeDrawing(draw(...beyond, receive())), []);
  });
});

/** The confidence of each finding, and when the messages that show it were sent. */
function listEvidence(drawing: string): readonly string[] {
  const { spans } = readDrawing(drawing);
  const startOf = new Map(
    spans.map((span) => [
      span.spanId,
      Number(span.startTimeUnixNano - (spans[0]?.startTimeUnixNano ?? 0n)) / 1e6,
    ]),
  );
  return checkTraces(spans)
    .findings.filter(({ severity }) => severity === 'warning')
    .map(
      ({ confidence, evidence }) =>
        `${confidence} ${evidence.map(({ spanId }) => startOf.get(spanId)).join()}`,
    );
}
