import { createRequire } from 'node:module';
import type { Task } from './variants.ts';

/** The instrumentation patches only modules that are loaded with `require`. */
const { Kafka, logLevel }: typeof import('kafkajs') = createRequire(import.meta.url)('kafkajs');

export function connectTo(broker: string): InstanceType<typeof Kafka> {
  // Without logs: while a new broker is not ready, the client retries and logs each attempt as an error.
  return new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });
}

/** Reads the task from `run.ts`. */
export function readTask(): Task {
  return JSON.parse(process.argv[2] ?? '');
}
