import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { checkTraces } from '../../src/verdict/check-traces.ts';
import { orders } from '../engine/draw-messages.ts';
import { readDrawing } from '../engine/read-drawing.ts';

const listEdges = (drawing: string) =>
  checkTraces(readDrawing(drawing).spans).edges.map(({ client, server, calls }) => [client, server, calls]);

// Source: semantic conventions, messaging spans, "Trace structure".
suite('links of messaging spans', () => {
  const settled = (operation: string): string => `
trace 1
  web PRODUCER "orders send" 0..2 id:m ${orders}
trace 2
  worker CONSUMER "orders process" 10..20 link:m ${orders}
    worker CLIENT "orders ack" 18..19 link:m ${operation} ${orders}
`;
  for (const operation of ['messaging.operation.type=settle', 'messaging.operation=settle'])
    test(`${operation} receives no message`, () => {
      assert.deepEqual(listEdges(settled(operation)), [['web', 'worker', 1]]);
    });

  for (const operation of ['messaging.operation.type=send', 'messaging.operation=publish'])
    test(`${operation} receives no message that its own service has created`, () => {
      const drawing = `
trace 1
  web SERVER "POST /order" 0..9
    web PRODUCER "orders create" 1..2 id:m ${orders}
    web CLIENT "orders send" 3..4 link:m ${operation} ${orders}
trace 2
  worker CONSUMER "orders process" 10..20 link:m ${orders}
`;
      assert.deepEqual(listEdges(drawing), [['web', 'worker', 1]]);
    });

  test("a service that sends because of another service's message has received that message", () => {
    const drawing = `
trace 1
  web PRODUCER "orders send" 0..2 id:m ${orders}
trace 2
  relay CLIENT "mails send" 10..20 link:m messaging.operation.type=send messaging.destination.name=mails
`;
    assert.deepEqual(listEdges(drawing), [['web', 'relay', 1]]);
  });

  test('a PRODUCER span that sends messages its own service created is not open', () => {
    const drawing = `
trace 1
  web SERVER "POST /order" 0..9
    web PRODUCER "orders create" 1..2 id:m ${orders}
    web PRODUCER "orders send" 3..4 link:m messaging.operation.type=send ${orders}
trace 2
  worker CONSUMER "orders process" 10..20 link:m ${orders}
trace 3
  web PRODUCER "orders send" 30..31 link:m messaging.operation.type=send ${orders}
trace 4
  web PRODUCER "orders send" 90..91 ${orders}
`;
    // A linked message of another trace is a message of its own.
    const { unjudged } = checkTraces(readDrawing(drawing).spans);
    assert.deepEqual(
      unjudged?.map(({ calls }) => calls),
      [1],
    );
  });
});
