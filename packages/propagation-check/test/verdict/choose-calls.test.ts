import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { orders, receivedAndProcessed } from '../engine/draw-messages.ts';
import { readDrawing } from '../engine/read-drawing.ts';

function count(drawing: string): readonly (readonly [string, number])[] {
  const { spans } = readDrawing(drawing);
  const counted = checkTraces(spans).edges;
  assert.deepEqual(checkTraces(spans.toReversed()).edges, counted);
  return counted.map(({ protocol, calls }) => [protocol, calls] as const);
}

suite('messages for which a service has several spans', () => {
  test('a message that is received and processed counts once', () => {
    assert.deepEqual(count(receivedAndProcessed), [['messaging', 1]]);
  });

  const deliver = (first: string, second: string, sent = '') => `
trace 1
  web PRODUCER "send orders" 0..2 id:m ${orders} ${sent}
    worker CONSUMER "process orders" 10..20 ${orders} ${first}
    worker CONSUMER "process orders" 30..40 ${orders} ${second}
    worker CONSUMER "process orders" 50..60 ${orders} ${second}
`;

  test('several deliveries of a message count once', () => {
    assert.deepEqual(count(deliver('messaging.message.id=a', 'messaging.message.id=a')), [['messaging', 1]]);
  });
  test('several deliveries without a message id count once', () => {
    assert.deepEqual(count(deliver('', '')), [['messaging', 1]]);
  });
  test('messages with different ids count each', () => {
    assert.deepEqual(count(deliver('messaging.message.id=a', 'messaging.message.id=b')), [['messaging', 2]]);
  });
  test('a PRODUCER span counts at most as many messages as its batch size', () => {
    assert.deepEqual(count(deliver('', '', 'messaging.batch.message_count=2')), [['messaging', 2]]);
    assert.deepEqual(count(deliver('', '', 'messaging.batch.message_count=9')), [['messaging', 3]]);
  });

  test('a message counts for each service that received it', () => {
    const drawing = `
trace 1
  web PRODUCER "send orders" 0..2 id:m ${orders}
    worker CONSUMER "process orders" 10..20 ${orders}
    audit CONSUMER "process orders" 10..20 ${orders}
`;
    assert.deepEqual(count(drawing), [
      ['messaging', 1],
      ['messaging', 1],
    ]);
  });

  test('a message of a batch counts beside others that are received once', () => {
    const drawing = `
trace 1
  web PRODUCER "send orders" 0..2 id:m ${orders}
trace 2
  web PRODUCER "send orders" 0..2 id:n ${orders}
trace 3
  worker CONSUMER "receive orders" 10..20 link:m link:n ${orders}
    worker CONSUMER "process orders" 30..40 link:m ${orders}
`;
    assert.deepEqual(count(drawing), [['messaging', 2]]);
  });

  test('a message that links to its PRODUCER span and to the span around it counts once', () => {
    const drawing = `
trace 1
  web SERVER "POST /orders" 0..5
    web PRODUCER "send orders" 0..2 id:m ${orders}
    worker CONSUMER "process orders" 10..20 link:m ${orders}
`;
    assert.deepEqual(count(drawing), [['messaging', 1]]);
  });
});
