import type { Span } from '../span/span.ts';
import { type FactSource, readText } from './fact-source.ts';

/** An API that programs use to reach many brokers, not a broker. */
const api = 'jms';

/** Generations of the semantic conventions and instrumentations name one broker `AmazonSQS`, `aws.sqs` and `aws_sqs`, or `google_pubsub` and `gcp_pubsub`. */
const vendor = /^(?:amazon|aws|azure|gcp|google)/;

/** Whether nothing says that the messages of two spans are of different brokers, whose topics may have one name. */
export function mayBeOfOneBroker(one: Span, other: Span): boolean {
  return areOfOneBroker(readBroker(one), readBroker(other));
}

/** The same of any two of them. Each is read once: there may be thousands on either side. */
export function mayAllBeOfOneBroker(some: readonly Span[], others: readonly Span[]): boolean {
  const brokers = new Set(others.map(readBroker));
  return [...new Set(some.map(readBroker))].every((one) =>
    [...brokers].every((other) => areOfOneBroker(one, other)),
  );
}

/** The same of what `readBroker` tells. */
export function areOfOneBroker(one: string | null, other: string | null): boolean {
  return one === null || other === null || one === other;
}

/** A name that all generations have in common; null where nothing names the broker. */
export function readBroker(call: FactSource): string | null {
  const system = readText(call, 'messaging.system')
    ?.toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .replace(vendor, '');
  return system === undefined || system === '' || system === api ? null : system;
}
