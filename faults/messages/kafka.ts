import { createRequire } from 'node:module';
import type { Task } from './variants.ts';

/** The instrumentation patches what is required, and an `import` is not. */
const { Kafka, logLevel }: typeof import('kafkajs') = createRequire(import.meta.url)('kafkajs');

export function connectTo(broker: string): InstanceType<typeof Kafka> {
  // It logs as errors that a broker which has just started is not ready, and tries again.
  return new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });
}

/** The task that `run.ts` has set. */
export function readTask(): Task {
  return JSON.parse(process.argv[2] ?? '');
}
