/**
 * Sends messages through Kafka from one process to another. Run it with `propagation-check exec`, which receives and checks their spans:
 * propagation-check exec --expect "orders -> mails" -- node faults/messages/run.ts [VARIANT]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { type Task, type Variant, variants } from './variants.ts';

const broker = process.env.KAFKA_BROKER || 'kafka:9092';
const name = process.argv[2] ?? 'parent';
const variant: Variant | undefined = new Map(Object.entries(variants)).get(name);
if (variant === undefined) {
  fail(`${JSON.stringify(name)} is no variant; allowed: ${Object.keys(variants).join(', ')}`);
}

/** A broker that has just started may take some seconds. */
const topicWaitMs = 30_000;
const lookMs = 100;
const topic = `orders-${Date.now()}-${process.pid}`;
const task: Task = { broker, topic, count: 20, consumes: variant.consumes };
await createTopic().catch((error: Error) =>
  fail(`the broker at ${broker} does not answer (${error.message}); KAFKA_BROKER is HOST:PORT of another`),
);
const consumer = start('mails', 'consume.ts', variant.consumer);
// The consumer sends a message when it has joined its group.
await Promise.race([once(consumer, 'message'), once(consumer, 'exit')]);
if (consumer.exitCode !== null) fail(`the consumer ended with ${consumer.exitCode}`);
const producer = start('orders', 'produce.ts', variant.producer);
const codes = await Promise.all([producer, consumer].map(readExitCode));
process.stdout.write(`${task.count} messages; ${variant.is}\n`);
process.exitCode = codes.every((code) => code === 0) ? 0 : 1;

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

async function createTopic(): Promise<void> {
  const admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  // With KRaft a broker learns of a new topic only after the controller has answered; until then `waitForLeaders` fails.
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: false });
  await awaitLeader(admin, Date.now() + topicWaitMs);
  await admin.disconnect();
}

/** @throws the error of the last attempt when the topic has no leader by the deadline. */
async function awaitLeader(admin: Admin, deadline: number): Promise<void> {
  for (;;) {
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      if (topics.some(({ partitions }) => partitions.some(({ leader }) => leader >= 0))) return;
      if (Date.now() > deadline) throw new Error(`topic ${topic} has no leader`);
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await delay(lookMs);
  }
}

/** Starts a service with the stock instrumentation and nothing else. */
function start(service: string, file: string, env: NodeJS.ProcessEnv = {}): ChildProcess {
  return fork(new URL(file, import.meta.url), [JSON.stringify(task)], {
    execArgv: [...process.execArgv, '--import', '@opentelemetry/auto-instrumentations-node/register'],
    env: {
      ...process.env,
      OTEL_SERVICE_NAME: service,
      OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'kafkajs',
      OTEL_NODE_RESOURCE_DETECTORS: 'env',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
      ...env,
    },
  });
}

async function readExitCode(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, 'exit');
  return child.exitCode;
}
