import type { FindingId } from './finding.ts';

/** A message waits in its broker, where no tap stands and no request is sent. */
export const lookAtMessage =
  'Look at a waiting message for `traceparent`: in its headers (Kafka, AMQP, NATS), attributes (SQS, SNS, Pub/Sub), application properties (Service Bus) or job data. There, the consumer ignores it; not there, the producer does not write it.';

/** What to change where the context travels in a message; other causes have the same fix as for requests. */
export const messageFixes: ReadonlyMap<FindingId, string> = new Map<FindingId, string>([
  [
    'header-not-sent',
    'Let the instrumentation of the producer write the context into the message, or inject it into its headers or attributes by hand.',
  ],
  [
    'header-ignored',
    'Let the consumer extract the context from the message, and give it to its span as parent or as link.',
  ],
  [
    'header-stripped',
    'Let what forwards the message (a bridge, a subscription, a retry) keep its headers or attributes.',
  ],
]);
