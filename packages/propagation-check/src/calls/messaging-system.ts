import type { Span } from '../span/span.ts';
import { readText } from './call-facts.ts';

/** An API that programs use to reach many brokers, not a broker. */
const api = 'jms';

/** Generations of the semantic conventions and instrumentations name one broker `AmazonSQS`, `aws.sqs` and `aws_sqs`, or `google_pubsub` and `gcp_pubsub`. */
const vendor = /^(?:amazon|aws|azure|gcp|google)/;

/** Whether nothing says that the messages of two spans are of different brokers, whose topics may have one name. */
export function mayBeOfOneBroker(one: Span, other: Span): boolean {
  const [first, second] = [readSystem(one), readSystem(other)];
  return first === null || second === null || first === second;
}

function readSystem(span: Span): string | null {
  const system = readText(span, 'messaging.system')
    ?.toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .replace(vendor, '');
  return system === undefined || system === '' || system === api ? null : system;
}
