import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { readDrawing } from '../engine/read-drawing.ts';

const topic = 'messaging.system=kafka messaging.destination.name=events';

/** Ten messages of `web`: `mailer` receives eight, `audit` two, and the last two have no receiver. */
const drawing = Array.from({ length: 10 }, (_, at) => {
  const receive = (receiver: string) =>
    `\n    ${receiver} CONSUMER "process" ${at * 100 + 10}..${at * 100 + 20} ${topic}`;
  const received = `${at < 8 ? receive('mailer') : ''}${at < 2 ? receive('audit') : ''}`;
  return `trace ${at + 1}\n  web PRODUCER "send" ${at * 100}..${at * 100 + 2} ${topic}${received}`;
})
  .concat('trace 99\n  web INTERNAL "end" 90000..90001')
  .join('\n');

function listUndecided(expectation: string) {
  const read = readDrawing(`${expectation}\n${drawing}`);
  return (checkTraces(read.spans, read).undecided ?? []).map(
    ({ client, server }) => `${client} -> ${server}`,
  );
}

test('messages that others received leave an edge open only if an expectation names it', () => {
  assert.deepEqual(listUndecided(''), []);
  assert.deepEqual(listUndecided('expect web -> audit'), ['web -> audit']);
});
