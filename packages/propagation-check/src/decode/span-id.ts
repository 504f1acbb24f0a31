import { DecodeError } from './decode-error.ts';
import { quoteValue } from './quote-value.ts';

/** An id is not valid. Spans with such an id are refused; links are left out. */
export class InvalidIdError extends DecodeError {
  /** Nothing but zeros, or empty: a span context that names no span. */
  readonly isZero: boolean;

  constructor(message: string, isZero: boolean) {
    super(message);
    this.isZero = isZero;
  }
}

/**
 * The encoding of ids in a JSON document. OTLP requires hex; protobuf's general JSON mapping, which Tempo and many handmade exports use,
 * requires base64. Their lengths differ, so they cannot be confused.
 */
export type IdEncoding = 'hex' | 'hex-or-base64';

/** @returns 32 lower-case hex digits. @throws {DecodeError} when it is something else or all zeros. */
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
  const id = toHex(value, 8, field, encoding);
  return isZero(id) ? null : id;
}

/** @throws {InvalidIdError} */
export function refuseZero(id: string, field: string): void {
  if (isZero(id)) throw new InvalidIdError(`${field}: all zeros is not a valid id`, true);
}

export function isZero(id: string): boolean {
  return /^0*$/.test(id);
}

function readId(value: string, bytes: 8 | 16, field: string, encoding: IdEncoding): string {
  const id = toHex(value, bytes, field, encoding);
  refuseZero(id, field);
  return id;
}

const hex = { 8: /^[0-9a-f]{16}$/i, 16: /^[0-9a-f]{32}$/i } as const;
const base64 = { 8: /^[\w+/-]{11}=?$/, 16: /^[\w+/-]{22}(==)?$/ } as const;

function toHex(value: string, bytes: 8 | 16, field: string, encoding: IdEncoding): string {
  if (hex[bytes].test(value)) return value.toLowerCase();
  const isBase64 = base64[bytes].test(value);
  if (isBase64 && encoding === 'hex-or-base64') return Buffer.from(value, 'base64').toString('hex');
  const hint = isBase64 ? ' (it looks like base64; OTLP JSON writes ids in hex)' : '';
  throw new InvalidIdError(
    `${field}: ${quoteValue(value)} is not ${bytes * 2} hex digits${hint}`,
    isZero(value),
  );
}

/**
 * Reads an id of a format that may hold 64-bit trace ids and leave out leading zeros (Jaeger, Zipkin).
 * @returns 16 hex digits; for a trace id 32 when it has more than 16.
 * @throws {DecodeError} when it is something else or all zeros.
 */
export function readHexId(value: string, bytes: 8 | 16, field: string): string {
  if (!/^[0-9a-f]+$/i.test(value) || value.length > bytes * 2) {
    throw new InvalidIdError(
      `${field}: ${quoteValue(value)} is not ${bytes === 16 ? '16 or 32' : '16'} hex digits`,
      isZero(value),
    );
  }
  refuseZero(value, field);
  return value.toLowerCase().padStart(value.length > 16 ? 32 : 16, '0');
}
