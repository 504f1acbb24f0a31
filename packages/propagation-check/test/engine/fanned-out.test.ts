import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { hintAtExpectations } from '../../src/collect/hint-at-expectations.ts';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from './read-drawing.ts';

const topic = 'messaging.system=kafka messaging.destination.name=orders';
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);
const send = (at: number) =>
  `trace ${at + 1}\n  web PRODUCER "send orders" ${at * 100}..${at * 100 + 5} id:m${at} ${topic}\n`;
const read = (service: string, at: number, link: string) =>
  `trace ${at + (service === 'audit' ? 500 : 700)}\n  ${service} CONSUMER "process orders" ${at * 100 + 10}..${at * 100 + 20} ${link} ${topic}\n`;
const worker = (at: number) => read('worker', at, `link:m${at}`);
const audit = (at: number) => read('audit', at, `link:m${at}`);
/** Received at a time that fits no message. */
const lost = (at: number) =>
  `trace ${at + 3000}\n  audit CONSUMER "process orders" ${at * 100 - 488}..${at * 100 - 478} ${topic}\n`;

const expected = 'expect web -> worker\nexpect web -> audit\n';

function judge(...drawings: readonly string[]) {
  const { spans, expectation } = readDrawing(drawings.join(''));
  const result = checkTraces(spans, { expectation });
  return {
    result,
    notes: hintAtExpectations(result, ['web', 'worker', 'audit'], expectation),
    edge: result.edges.find(({ server }) => server === 'audit'),
  };
}

suite('messages of which an expected service received a part with their context, and other services all', () => {
  const split = (from: number) =>
    range(0, 10)
      .map((at) => send(at) + worker(at) + (at < from ? audit(at) : lost(at)))
      .join('');

  test('leave the edge open if most began traces', () => {
    const { result, edge, notes } = judge(expected, split(5));
    assert.equal(result.verdict, 'unknown');
    assert.deepEqual([edge?.calls, edge?.broken, edge?.unjudged], [5, 0, 5]);
    assert.match(
      result.undecided?.[0]?.says ?? '',
      /^5 of 10 messages judged: 5 messages of audit began traces, and web sent 5 to the same destination that only others received: /,
    );
    assert.deepEqual(result.findings, []);
    assert.match(notes.join(), /^not judged: audit \(5 messages\): they began traces, and web sends to /);
    assert.match(
      notes.join(),
      /messages of others: look at such a message in the broker; if another program sends them, list "outside -> audit" under edges: may in --expectations$/,
    );
  });

  test('are noted if a minority began traces', () => {
    const { result, edge, notes } = judge(expected, split(7));
    assert.deepEqual([result.verdict, edge?.unjudged, edge?.openOnBothSides], ['intact', 3, true]);
    assert.match(notes.join(), /^not judged: audit \(3 messages\)/);
  });

  test('leave nothing open if messages of other senders may begin traces', () => {
    const { result, edge, notes } = judge(expected, 'may outside -> audit\n', split(5));
    assert.deepEqual([result.verdict, edge?.unjudged, notes], ['intact', undefined, []]);
  });

  test('leave nothing open on a forbidden edge', () => {
    const { result, edge } = judge('expect web -> worker\nmust-not web -> audit\n', split(5));
    assert.deepEqual([result.verdict, edge?.unjudged, result.undecided], ['broken', undefined, undefined]);
    assert.deepEqual(
      result.findings.map(({ id }) => id),
      ['unexpected-edge'],
    );
  });

  test('leave nothing open if the service received all messages of its sender', () => {
    const more = range(20, 30).map(lost).join('');
    const { result, edge, notes } = judge(expected, split(10), more);
    assert.deepEqual([result.verdict, edge?.unjudged, notes], ['intact', undefined, []]);
  });

  test('leave nothing open if each message is for one service: an unseen program sends to the queue', () => {
    const shared = range(0, 10).map((at) => send(at) + (at % 2 === 0 ? worker(at) : audit(at)));
    const { result, edge } = judge(expected, ...shared, ...range(20, 30).map(lost));
    assert.deepEqual([result.verdict, edge?.unjudged], ['intact', undefined]);
  });

  test('leave nothing open if the service skips messages', () => {
    const skipped = range(0, 10).map((at) => send(at) + worker(at) + (at < 5 ? audit(at) : ''));
    const { result, notes } = judge(expected, ...skipped);
    assert.deepEqual([result.verdict, notes], ['intact', []]);
  });

  test('leave nothing open that a finding reports', () => {
    const id = (at: number) => `messaging.message.id="${String(at).padStart(32, '0')}"`;
    const proven = range(0, 10).map((at) =>
      (send(at) + worker(at) + (at < 5 ? audit(at) : lost(at))).replaceAll(topic, `${topic} ${id(at)}`),
    );
    const { result, edge } = judge(expected, ...proven);
    assert.deepEqual(
      [result.verdict, edge?.calls, edge?.broken, edge?.unjudged],
      ['broken', 10, 5, undefined],
    );
  });

  test('leave nothing open if spans of another name, or messages of another destination, began traces', () => {
    const others = (change: (drawing: string) => string) =>
      judge(
        expected,
        split(5).replaceAll(/trace 3\d\d\d\n {2}audit .*\n/g, (drawn) =>
          drawn.includes('link:') ? drawn : change(drawn),
        ),
      );
    for (const change of [
      (drawn: string) => drawn.replace('"process orders"', '"poll"'),
      (drawn: string) => drawn.replace('name=orders', 'name=mails'),
      (drawn: string) => drawn.replace('CONSUMER', 'SERVER'),
    ]) {
      const { result, edge } = others(change);
      assert.deepEqual([result.verdict, edge?.unjudged], ['intact', undefined]);
    }
  });

  test('leave nothing open if other services received messages of another destination', () => {
    const mails = range(0, 10).map((at) =>
      (send(at) + worker(at))
        .replaceAll(/(name=|:m)/g, '$1x')
        .replace(/trace (\d+)\n(?= {2}web)/, 'trace 9$10\n')
        .replace(/trace (\d+)\n(?= {2}worker)/, 'trace 8$10\n'),
    );
    const more = range(20, 30).map(lost);
    const { result, edge } = judge(expected, split(10), ...mails, ...more);
    assert.deepEqual([result.verdict, edge?.unjudged], ['intact', undefined]);
  });
});
