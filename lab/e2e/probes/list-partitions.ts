/** Prints the partitions that each key of the spans' topic is in, as JSON: `[key, partitions][]`. */
import { createRequire } from 'node:module';
import { zstdDecompressSync } from 'node:zlib';

const { Kafka, logLevel, CompressionCodecs, CompressionTypes }: typeof import('kafkajs') =
  createRequire('/app/')('kafkajs');
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  decompress: async (buffer: Buffer) => zstdDecompressSync(buffer),
});

const topic = 'otlp_spans';
const kafka = new Kafka({ brokers: ['kafka:9092'], logLevel: logLevel.NOTHING });

const admin = kafka.admin();
await admin.connect();
const ends = await admin.fetchTopicOffsets(topic);
await admin.disconnect();

const consumer = kafka.consumer({ groupId: `probe-${process.pid}-${Date.now()}` });
const partitions = new Map<string, Set<number>>();
let missing = ends.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
const finished = Promise.withResolvers<void>();
consumer.on('consumer.crash', ({ payload }) => finished.reject(payload.error));
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({
  eachMessage: async ({ partition, message }) => {
    const key = String(message.key);
    partitions.set(key, (partitions.get(key) ?? new Set()).add(partition));
    missing--;
    if (missing === 0) finished.resolve();
  },
});
await finished.promise;
await consumer.disconnect();
console.log(JSON.stringify([...partitions].map(([key, found]) => [key, [...found]])));
