/** A way in which two processes send messages through Kafka. */
export interface Variant {
  readonly is: string;
  /** For a single message the instrumentation makes the PRODUCER span the parent of the CONSUMER span; for a batch it makes links. */
  readonly consumes: 'message' | 'batch';
  /** Environment variables of the process. */
  readonly producer?: NodeJS.ProcessEnv;
  readonly consumer?: NodeJS.ProcessEnv;
}

export const variants = {
  parent: { is: 'healthy: the consumer continues the trace', consumes: 'message' },
  link: { is: 'healthy: the consumer links to the trace', consumes: 'batch' },
  'consumer-not-linked': {
    is: 'broken: the consumer reads no trace context',
    consumes: 'message',
    consumer: { OTEL_PROPAGATORS: 'none' },
  },
  'producer-sends-none': {
    is: 'broken: the producer sends no trace context',
    consumes: 'message',
    producer: { OTEL_PROPAGATORS: 'none' },
  },
} as const satisfies Readonly<Record<string, Variant>>;

/** The task of both processes, passed as JSON in an argument. */
export interface Task {
  readonly broker: string;
  readonly topic: string;
  readonly count: number;
  readonly consumes: Variant['consumes'];
}
