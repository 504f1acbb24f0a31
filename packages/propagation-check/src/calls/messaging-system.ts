import type { Span } from '../span/span.ts';
import { type FactSource, readText } from './fact-source.ts';

/** JMS is an API for many brokers, not a broker. */
const api = 'jms';

/**
 * Generations of the semantic conventions and instrumentations name one broker differently: `AmazonSQS`, `aws.sqs`, `aws_sqs`;
 * `google_pubsub`, `gcp_pubsub`.
 */
const vendor = /^(?:amazon|aws|azure|gcp|google)/;

/** Whether two messaging spans may use the same broker. Topics of different brokers may have the same name. */
export function mayBeOfOneBroker(one: Span, other: Span): boolean {
  return areOfOneBroker(readBroker(one), readBroker(other));
}

/** Whether `mayBeOfOneBroker` holds for every combination. Reads each span once, because either side may have thousands. */
export function mayAllBeOfOneBroker(some: readonly Span[], others: readonly Span[]): boolean {
  const brokers = new Set(others.map(readBroker));
  return [...new Set(some.map(readBroker))].every((one) =>
    [...brokers].every((other) => areOfOneBroker(one, other)),
  );
}

/** As `mayBeOfOneBroker`, of results of `readBroker`. */
export function areOfOneBroker(one: string | null, other: string | null): boolean {
  return one === null || other === null || one === other;
}

/** The broker's name in a spelling common to all generations; null where no attribute names the broker. */
export function readBroker(call: FactSource): string | null {
  const system = readText(call, 'messaging.system')
    ?.toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .replace(vendor, '');
  return system === undefined || system === '' || system === api ? null : system;
}

/** Brokers that keep a log, from which each group of consumers reads all messages. A queue gives each message to one consumer. */
const logs: ReadonlySet<string | null> = new Set(['kafka', 'eventhubs', 'kinesis', 'pulsar']);

export function isOfLog(call: FactSource): boolean {
  return logs.has(readBroker(call));
}
