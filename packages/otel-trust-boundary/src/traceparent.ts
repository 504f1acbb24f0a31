import { type SpanContext, TraceFlags } from '@opentelemetry/api';
import { trimWhitespace } from './trim-whitespace.ts';

/** Characters of version 00: version, two ids, flags and three dashes. */
const length = 55;
const format = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}/;

/** Section 3.2.2.5.2: at least the last seven bytes of the trace id are random. */
export const randomFlag = 0x02;

/** Null for a value from which the trace has to be restarted. Source: level 2, sections 3.2.2 and 3.2.4. */
export function parseTraceparent(header: string): SpanContext | null {
  const value = header.length === length ? header : trimWhitespace(header);
  if (value.length < length || !format.test(value)) return null;
  // Only a later version may go on, after another dash.
  if (value.length > length && (value.startsWith('00') || value[length] !== '-')) return null;
  return {
    traceId: value.slice(3, 35),
    spanId: value.slice(36, 52),
    traceFlags: Number.parseInt(value.slice(53, 55), 16),
    isRemote: true,
  };
}

/** Version 00 with the sampled flag of the span and, if it is known, the random flag; others are zero (section 3.2.2.5.3). */
export function formatTraceparent({ traceId, spanId, traceFlags }: SpanContext, randomFlag: number): string {
  return `00-${traceId}-${spanId}-0${(traceFlags & TraceFlags.SAMPLED) | randomFlag}`;
}
