import type { SpanLink } from '../span/span.ts';
import { DecodeError } from './decode-error.ts';
import { quoteValue } from './quote-value.ts';

/**
 * The encoding of ids in a JSON document. OTLP requires hex; protobuf's general JSON mapping, which Tempo and many handmade exports use,
 * requires base64. Their lengths differ, so they cannot be confused. Jaeger and Zipkin have 64-bit trace ids too, and may leave out
 * leading zeros (`short-hex`).
 */
export type IdEncoding = 'hex' | 'hex-or-base64' | 'short-hex';

/** @returns 32 lower-case hex digits, or 16 of a short id. @throws {DecodeError} when it is something else or all zeros. */
export function readTraceId(value: string, field: string, encoding: IdEncoding): string {
  return readId(value, 16, field, encoding);
}

/** @returns 16 lower-case hex digits. @throws {DecodeError} when it is something else or all zeros. */
export function readSpanId(value: string, field: string, encoding: IdEncoding): string {
  return readId(value, 8, field, encoding);
}

/** @returns The parent's span id, or null for a root: absent, empty or all zeros. @throws {DecodeError} otherwise. */
export function readParentSpanId(
  value: string | null | undefined,
  field: string,
  encoding: IdEncoding,
): string | null {
  if (value === null || value === undefined || value === '') return null;
  const id = toHex(value, 8, encoding) ?? refuseId(value, 8, field, encoding);
  return isZero(id) ? null : id;
}

/** Why a link cannot be followed: a span context that names no span, or an id that is not valid. */
export type UnreadLink = 'empty' | 'invalid';

/** Reads both ids of a link. Returns the fault: an error for each of many links would take seconds. */
export function readLinkIds(traceId: string, spanId: string, encoding: IdEncoding): SpanLink | UnreadLink {
  const ofTrace = toHex(traceId, 16, encoding);
  if (isZero(ofTrace ?? traceId)) return 'empty';
  if (ofTrace === null) return 'invalid';
  const ofSpan = toHex(spanId, 8, encoding);
  if (isZero(ofSpan ?? spanId)) return 'empty';
  return ofSpan === null ? 'invalid' : { traceId: ofTrace, spanId: ofSpan };
}

/** @throws {DecodeError} */
export function refuseZero(id: string, field: string): void {
  if (isZero(id)) throw new DecodeError(`${field}: all zeros is not a valid id`);
}

export function isZero(id: string): boolean {
  return /^0*$/.test(id);
}

function readId(value: string, bytes: 8 | 16, field: string, encoding: IdEncoding): string {
  const id = toHex(value, bytes, encoding) ?? refuseId(value, bytes, field, encoding);
  refuseZero(id, field);
  return id;
}

const hex = { 8: /^[0-9a-f]{16}$/i, 16: /^[0-9a-f]{32}$/i } as const;
const shortHex = { 8: /^[0-9a-f]{1,16}$/i, 16: /^[0-9a-f]{1,32}$/i } as const;
const base64 = { 8: /^[\w+/-]{11}=?$/, 16: /^[\w+/-]{22}(==)?$/ } as const;

/** @returns Lower-case hex digits; null for something else. */
function toHex(value: string, bytes: 8 | 16, encoding: IdEncoding): string | null {
  if (hex[bytes].test(value)) return value.toLowerCase();
  if (encoding === 'short-hex' && shortHex[bytes].test(value))
    return value.toLowerCase().padStart(value.length > 16 ? 32 : 16, '0');
  if (encoding === 'hex-or-base64' && base64[bytes].test(value))
    return Buffer.from(value, 'base64').toString('hex');
  return null;
}

/** @throws {DecodeError} */
function refuseId(value: string, bytes: 8 | 16, field: string, encoding: IdEncoding): never {
  const digits = bytes === 16 && encoding === 'short-hex' ? '16 or 32' : bytes * 2;
  const isBase64 = encoding === 'hex' && base64[bytes].test(value);
  const hint = isBase64 ? ' (it looks like base64; OTLP JSON writes ids in hex)' : '';
  throw new DecodeError(`${field}: ${quoteValue(value)} is not ${digits} hex digits${hint}`);
}
