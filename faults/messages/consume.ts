/** Service `mails`. */
import { connectTo, readTask } from './kafka.ts';

const { broker, topic, count, consumes } = readTask();
const consumer = connectTo(broker).consumer({ groupId: topic });
const finished = Promise.withResolvers<void>();
let seen = 0;
const take = (messages: number): void => {
  seen += messages;
  if (seen >= count) finished.resolve();
};
consumer.on('consumer.group_join', () => process.send?.('joined'));
consumer.on('consumer.crash', ({ payload }) => {
  if (!payload.restart) finished.reject(payload.error);
});
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run(
  consumes === 'batch'
    ? { eachBatch: async ({ batch }) => take(batch.messages.length) }
    : { eachMessage: async () => take(1) },
);
await finished.promise;
await consumer.disconnect();
process.disconnect?.();
