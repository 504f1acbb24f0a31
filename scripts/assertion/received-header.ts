import { parseTraceparent, splitTraceparents, traceparentFaults } from 'propagation-check/kit';
import type { Answer } from './answer.ts';

/** The `traceparent` that service B received, parsed as Trace Context requires of a receiver. */
export type ReceivedHeader =
  | { readonly state: 'valid'; readonly traceId: string; readonly spanId: string; readonly sampled: boolean }
  | { readonly state: 'absent' | 'duplicated' | 'malformed'; readonly why: string };

export function readReceivedHeader({ traceparent_header: header }: Answer): ReceivedHeader {
  if (header === null) return { state: 'absent', why: 'B received no traceparent header' };
  const [value = '', ...others] = splitTraceparents([header]);
  if (others.length > 0) {
    const why = `B received ${others.length + 1} traceparent headers, so it must take none: ${header}`;
    return { state: 'duplicated', why };
  }
  const parsed = parseTraceparent(value);
  if (parsed.state === 'valid') return parsed;
  return { state: 'malformed', why: `B received "${header}": ${traceparentFaults[parsed.reason]}` };
}
