import { type FactSource, readNumber, readText } from './fact-source.ts';

export function readMessageId(span: FactSource): string | null {
  for (const key of messageIds) {
    const value = span.attributes.get(key);
    if (typeof value === 'number' || typeof value === 'bigint') return String(value);
    if (typeof value === 'string' && value !== '') return value;
  }
  return readLogPosition(span);
}

/** Ids of job queues. Sources: bullmq-otel, opentelemetry_oban before and after 1.2. */
const messageIds = [
  ...(['messaging.message.id', 'messaging.message_id', 'bullmq.job.id', 'messaging.bullmq.job.id'] as const),
  ...(['oban.job.job_id', 'messaging.oban.job_id'] as const),
];

/** The correlation id, which a request and its reply share. Source: semantic conventions for messaging, current and before 1.17. */
export function readConversationId(span: FactSource): string | null {
  return readText(span, 'messaging.message.conversation_id', 'messaging.conversation_id');
}

/**
 * Topic, partition and offset identify a message, and brokers return them to producers too. Sources: semantic conventions for Kafka,
 * current and before 1.27; opentelemetry-java-instrumentation, `KafkaProducerAttributesExtractor.java`.
 */
export function readLogPosition(span: FactSource): string | null {
  const topic = readDestination(span);
  const offset = readNumber(span, 'messaging.kafka.offset', 'messaging.kafka.message.offset');
  const partition = readNumber(
    span,
    'messaging.destination.partition.id',
    'messaging.kafka.destination.partition',
    'messaging.kafka.partition',
  );
  return topic === null || offset === null || partition === null ? null : `${topic}/${partition}/${offset}`;
}

export function readDestination(span: FactSource): string | null {
  const name = readText(
    span,
    'messaging.destination.name',
    'messaging.destination',
    'messaging.source.name',
    'bullmq.queue.name',
  );
  return name === null || name === defaultExchange ? (readRoutingKey(span) ?? name) : name;
}

/**
 * RabbitMQ's default exchange delivers a message to the queue that the routing key names. Sources: AMQP 0-9-1, "The default exchange";
 * opentelemetry-java-instrumentation, `RabbitInstrumenterHelper.java`; opentelemetry-js-contrib, instrumentation-amqplib, which leaves the
 * name empty.
 */
const defaultExchange = '<default>';

function readRoutingKey(span: FactSource): string | null {
  return readText(span, 'messaging.rabbitmq.destination.routing_key', 'messaging.rabbitmq.routing_key');
}

/** Whether two spans may be of one message by its routing key, which RabbitMQ gives to the receiver unchanged. */
export function mayHaveOneKey(one: FactSource, other: FactSource): boolean {
  const [key, otherKey] = [readRoutingKey(one), readRoutingKey(other)];
  return key === null || otherKey === null || key === otherKey;
}

/** The sent messages for which `mayHaveOneKey` holds with one of the received ones. Reads each span once. */
export function selectOfKeys<Sent extends FactSource>(
  sent: readonly Sent[],
  received: readonly FactSource[],
): readonly Sent[] {
  const keys = new Set(received.map(readRoutingKey));
  if (keys.has(null)) return sent;
  return sent.filter((span) => {
    const key = readRoutingKey(span);
    return key === null || keys.has(key);
  });
}

/**
 * The operation type of a messaging span, such as `receive` or `process`. Source: semantic conventions, messaging spans, "Operation types".
 */
export function readOperation(call: FactSource): string | null {
  return readText(call, 'messaging.operation.type', 'messaging.operation');
}

/** Whether a consumer polled and received no message. */
export function isEmptyPoll(call: FactSource): boolean {
  return readNumber(call, 'messaging.batch.message_count') === 0;
}

/** The number of messages of a span: 1 unless it is a batch. */
export function readBatchSize(call: FactSource): number {
  const size = readNumber(call, 'messaging.batch.message_count') ?? 1;
  return Number.isSafeInteger(size) && size > 1 ? size : 1;
}
