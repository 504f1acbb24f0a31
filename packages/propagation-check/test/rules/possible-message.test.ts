import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawChain, judgeDrawing } from './judge-drawing.ts';

interface About {
  readonly queue?: string | null;
  readonly system?: string;
}

const name = ({ queue = 'jobs', system = 'kafka' }: About): string =>
  `messaging.system=${system} ${queue === null ? '' : `messaging.destination.name=${queue}`}`;
const send = (at: number, service = 'web', about: About = {}): string =>
  `${service} PRODUCER "send" ${at}..${at + 10} ${name(about)}`;
const take = (at: number, service = 'worker', about: About = {}): string =>
  `${service} CONSUMER "process" ${at + 40}..${at + 60} ${name(about)}`;

const times = [0, 700, 2900, 3600, 5900];
/** Traces of one span each, at five times. */
const draw = (...spans: readonly ((at: number, round: number) => string | null)[]): string =>
  times
    .flatMap((at, round) => spans.map((drawSpan) => drawSpan(at, round)))
    .flatMap((line, number) => (line === null ? [] : drawChain(number + 1, line)))
    .join('');
const possible = ['warning split-trace web -> worker 5'];
const both = draw(
  (at) => send(at),
  (at) => take(at),
);

test('five messages that one service sends and another receives may be the same', () => {
  assert.deepEqual(judgeDrawing(both), possible);
  assert.deepEqual(judgeDrawing(both.replaceAll('"process" 5940..5960', '"process" 5840..5860')), []);
  assert.deepEqual(
    judgeDrawing(
      draw(
        (at, round) => (round === 0 ? null : send(at)),
        (at, round) => (round === 0 ? null : take(at)),
      ),
    ),
    [],
  );
});

test('each destination is judged separately, and spans without a destination are not', () => {
  const mail: About = { queue: 'mail' };
  assert.deepEqual(
    judgeDrawing(
      both +
        draw(
          (at) => send(at, 'shop', mail),
          (at) => take(at, 'mailer', mail),
        ).replaceAll(/^trace /gm, 'trace 1'),
    ),
    [...possible, 'warning split-trace shop -> mailer 5'],
  );
  const unnamed: About = { queue: null };
  assert.deepEqual(
    judgeDrawing(
      draw(
        (at) => send(at, 'web', unnamed),
        (at) => take(at, 'worker', unnamed),
      ),
    ),
    [],
  );
});

test('a call to the broker is no message: a consumer acknowledges each message', () => {
  const acknowledge = draw((at) => `worker CLIENT "ack" ${at + 61}..${at + 63} ${name({})}`);
  assert.deepEqual(judgeDrawing(both + acknowledge.replaceAll(/^trace /gm, 'trace 1')), possible);
});

test('several senders or receivers are not distinguished, and nothing is reported', () => {
  const others = draw(
    (at) => send(at, 'shop'),
    (at) => take(at, 'mailer'),
  );
  assert.deepEqual(judgeDrawing(both + others.replaceAll(/^trace /gm, 'trace 1')), []);
});

test('reply queues with one message each share one finding, without a queue of two senders', () => {
  const replies = (queues: number) =>
    draw(
      (at, round) => (round < queues ? send(at, 'web', { queue: `reply-${round}` }) : null),
      (at, round) => (round < queues ? take(at, 'worker', { queue: `reply-${round}` }) : null),
    );
  const shared = drawChain(91, send(8000, 'web', { queue: 'reply-4' }))
    .concat(drawChain(92, send(8000, 'shop', { queue: 'reply-4' })))
    .concat(drawChain(93, take(8000, 'worker', { queue: 'reply-4' })));
  assert.deepEqual(judgeDrawing(replies(5)), possible);
  assert.deepEqual(judgeDrawing(replies(4)), []);
  assert.deepEqual(judgeDrawing(replies(4) + shared), []);
});

test('queues with more than one message each are not merged', () => {
  const queueOf = (round: number): About => ({ queue: round < 3 ? 'jobs' : 'mails' });
  const apart = draw(
    (at, round) => send(at, 'web', queueOf(round)),
    (at, round) => take(at, 'worker', queueOf(round)),
  );
  assert.deepEqual(judgeDrawing(apart), []);
});

test('a service that receives from its own queue sends to no other service', () => {
  assert.deepEqual(judgeDrawing(both.replaceAll('worker', 'web')), []);
});

test('the same destination name at two brokers is two destinations', () => {
  const other: About = { system: 'rabbitmq' };
  for (const which of [0, 1, 4]) {
    assert.deepEqual(
      judgeDrawing(
        draw(
          (at) => send(at),
          (at, round) => take(at, 'worker', round === which ? other : {}),
        ),
      ),
      [],
    );
    assert.deepEqual(
      judgeDrawing(
        draw(
          (at, round) => send(at, 'web', round === which ? other : {}),
          (at) => take(at),
        ),
      ),
      [],
    );
  }
});

test('more received than sent messages contradict it', () => {
  assert.deepEqual(judgeDrawing(both + drawChain(90, take(9000))), []);
});

test('an expected edge to the receiver supports it', () => {
  const enter = 'SERVER "GET /x" 0..9 http.request.method=GET';
  const call = drawChain(
    90,
    `shop CLIENT "GET" 0..9 http.request.method=GET url.full=http://stock/x`,
    `stock ${enter}`,
  );
  assert.deepEqual(judgeDrawing(`expect shop -> stock\n${both}${call}`), possible);
  assert.deepEqual(judgeDrawing(`may shop -> worker\n${both}`), []);
});
