/** Service `orders`. */
import { connectTo, readTask } from './kafka.ts';

const { broker, topic, count } = readTask();
const producer = connectTo(broker).producer();
await producer.connect();
for (let order = 0; order < count; order++) {
  await producer.send({ topic, messages: [{ key: String(order), value: 'shipped' }] });
}
await producer.disconnect();
process.disconnect?.();
