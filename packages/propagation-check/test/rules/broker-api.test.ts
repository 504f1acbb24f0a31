import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { drawChain, judgeDrawing, listCauses, listFacts } from './judge-drawing.ts';

const request = (at: number) =>
  `web SERVER "POST /order" ${at}..${at + 60} http.request.method=POST url.path=/order`;
const post = (at: number, host = 'sqs.eu-west-1.amazonaws.com') =>
  `web CLIENT "POST" ${at}..${at + 20} http.request.method=POST url.full=https://${host}/ http.response.status_code=200`;
const sendMessage = (at: number) =>
  `web CLIENT "SQS.SendMessage" ${at}..${at + 20} rpc.system=aws-api rpc.service=SQS rpc.method=SendMessage`;
const publish = (at: number) =>
  `web CLIENT "orders publish" ${at}..${at + 2} messaging.system=nats messaging.destination.name=orders messaging.operation.type=send`;

const take = (at: number) =>
  `mail CONSUMER "orders process" ${at}..${at + 30} messaging.destination.name=orders`;
const handle = (at: number) => `mail SERVER "handle" ${at}..${at + 30} faas.trigger=pubsub`;
const push = (at: number) =>
  `mail SERVER "POST /push" ${at}..${at + 30} http.request.method=POST url.path=/push`;
const poll = (at: number) =>
  `mail CLIENT "POST" ${at}..${at + 5} http.request.method=POST url.full=https://sqs.eu-west-1.amazonaws.com/ http.response.status_code=200`;

type Line = (at: number) => string;

/** Three requests that send a message, and the spans that begin at the receiver after the given delay. */
function draw(send: Line, receive: Line | null, later = 200): string {
  return `expect web -> mail\n${[0, 1000, 2000]
    .map(
      (at, index) =>
        drawChain(index + 1, request(at), send(at + 10)) +
        (receive === null ? '' : drawChain(index + 50, receive(at + later))),
    )
    .join('')}`;
}

const ofMessages = ['header-not-sent', 'header-ignored', 'header-stripped', 'format-mismatch'];
const ofSender = ['client-not-instrumented', ...ofMessages];
const missing = ['error missing-call web -> mail 0'];
const split = ['error split-trace web -> mail 3'];

suite('a sender whose only calls are requests to a broker', () => {
  test('lacks an instrumentation of its messaging library, while the receiver has one', () => {
    for (const receive of [take, handle]) {
      assert.deepEqual(judgeDrawing(draw(post, receive)), missing);
      assert.deepEqual(listCauses(draw(post, receive)), [...ofSender, 'not-sampled']);
    }
    assert.deepEqual(listFacts(draw(post, take)), [
      'web calls sqs.eu-west-1.amazonaws.com, an API of a broker, and has no PRODUCER span: CLIENT spans of such calls usually put no header into a message',
    ]);
  });

  test('may have a receiver that also serves HTTP; a receiver without entry spans is not instrumented', () => {
    assert.deepEqual(judgeDrawing(draw(post, push)), missing);
    assert.deepEqual(listCauses(draw(post, push)), [...ofSender, 'server-not-instrumented', 'not-sampled']);
    for (const receive of [poll, null])
      for (const later of [200, 15]) {
        assert.deepEqual(judgeDrawing(draw(post, receive, later)), missing);
        assert.deepEqual(listCauses(draw(post, receive, later)), [
          'server-not-instrumented',
          ...ofSender,
          'not-sampled',
        ]);
      }
  });

  test('may have its messages received before its requests end', () => {
    for (const receive of [handle, push])
      for (const send of receive === handle ? [post] : [post, sendMessage]) {
        assert.deepEqual(judgeDrawing(draw(send, receive, 15)), ['error missing-call web -> mail 3']);
        assert.deepEqual(listCauses(draw(send, receive, 15)), ofSender);
      }
  });

  test('is reported if the receiver only receives messages, whatever it calls', () => {
    const bridge: Line = (at) => post(at, 'bridge:8082');
    assert.deepEqual(listCauses(draw(bridge, take)), [...ofSender, 'not-sampled']);
    assert.deepEqual(listFacts(draw(bridge, take)), []);
    assert.deepEqual(listCauses(draw(bridge, push)), [
      'client-not-instrumented',
      'server-not-instrumented',
      'not-sampled',
    ]);
  });

  test('is no such sender if it has PRODUCER spans', () => {
    const other = `${drawChain(90, 'web PRODUCER "send" 5..8 messaging.destination.name=jobs')}`;
    assert.deepEqual(listFacts(draw(post, take) + other), []);
  });
});

suite('a CLIENT span that sends a message', () => {
  test('is one side of a split message', () => {
    for (const send of [sendMessage, publish])
      for (const receive of [take, handle]) {
        assert.deepEqual(judgeDrawing(draw(send, receive)), split);
        assert.deepEqual(listCauses(draw(send, receive))[0], 'header-not-sent');
      }
  });

  test('ranks the causes of messages first if the receiver has no messaging span', () => {
    for (const send of [sendMessage, publish]) {
      assert.deepEqual(judgeDrawing(draw(send, push)), missing);
      assert.deepEqual(listCauses(draw(send, push)).slice(0, 4), ofMessages);
      assert.equal(listCauses(draw(send, null))[0], 'server-not-instrumented');
    }
  });

  test('belongs to the same message as a PRODUCER span', () => {
    const both = draw(publish, take).replaceAll(
      /^ {4}web CLIENT "orders publish" (\d+)(.*)$/gm,
      '    web PRODUCER "orders create" $1$2\n      web CLIENT "orders send" $1$2',
    );
    assert.deepEqual(judgeDrawing(both), split);
  });

  test('below a PRODUCER span is part of its message', () => {
    const below = draw(publish, take).replaceAll(
      /^ {4}web CLIENT "orders publish" (\d+)\.\.(\d+)(.*)$/gm,
      (_, from: string, to: string, rest: string) =>
        `    web PRODUCER "orders send" ${from}..${to}${rest} rpc.service=SQS rpc.method=SendMessage\n      ${post(Number(from))}`,
    );
    assert.deepEqual(judgeDrawing(below), split);
  });
});
