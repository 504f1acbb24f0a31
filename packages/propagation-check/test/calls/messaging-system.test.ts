import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayAllBeOfOneBroker } from '../../src/calls/messaging-system.ts';
import type { Span } from '../../src/span/span.ts';
import { readDrawing } from '../engine/read-drawing.ts';

function listMessages(...systems: readonly string[]): readonly Span[] {
  const lines = systems.map(
    (system, at) =>
      `  web PRODUCER "send" ${at}..${at + 1} ${system === '' ? '' : `messaging.system=${system}`}`,
  );
  return readDrawing(`trace 1\n${lines.join('\n')}`).spans;
}

test('messages may be of one broker if every two of them may', () => {
  const may = (some: readonly string[], others: readonly string[]) =>
    mayAllBeOfOneBroker(listMessages(...some), listMessages(...others));
  assert.ok(may(['kafka', 'kafka'], ['kafka', '']));
  assert.ok(may(['kafka', 'rabbitmq'], ['', 'jms']));
  assert.ok(!may(['kafka', ''], ['kafka', 'rabbitmq']));
  assert.ok(!may(['kafka', 'rabbitmq'], ['kafka']));
});

test('the broker of each message is read once', () => {
  let reads = 0;
  class CountingMap extends Map<string, string> {
    override get(name: string) {
      if (name === 'messaging.system') reads += 1;
      return super.get(name);
    }
  }
  const messages = listMessages(...Array.from({ length: 40 }, () => 'kafka')).map((span) => ({
    ...span,
    attributes: new CountingMap([['messaging.system', 'kafka']]),
  }));
  assert.ok(mayAllBeOfOneBroker(messages, messages));
  assert.equal(reads, 80);
});
