import { type SpanKind, type SpanStatus, spanKinds, statusCodes } from '../span/span.ts';
import { DecodeError } from './decode-error.ts';
import { quoteValue } from './quote-value.ts';

/** Numbers of a newer protocol become UNSPECIFIED, as proto3 requires. */
export function toSpanKind(kind: number): SpanKind {
  return spanKinds[kind] ?? 'UNSPECIFIED';
}

export function toStatusCode(code: number): SpanStatus['code'] {
  return statusCodes[code] ?? 'UNSET';
}

/** @param value A number, or a name with its prefix: `SPAN_KIND_SERVER`. @throws {DecodeError} for another string. */
export function readSpanKind(value: number | string | null | undefined): SpanKind {
  if (typeof value !== 'string') return toSpanKind(value ?? 0);
  return readEnum(spanKinds, 'SPAN_KIND_', value, 'kind');
}

/** @param value A number, or a name with its prefix: `STATUS_CODE_ERROR`. @throws {DecodeError} for another string. */
export function readStatusCode(value: number | string | null | undefined): SpanStatus['code'] {
  if (typeof value !== 'string') return toStatusCode(value ?? 0);
  return readEnum(statusCodes, 'STATUS_CODE_', value, 'status.code');
}

/** @param value `Client`, `CLIENT` or `SPAN_KIND_CLIENT`, depending on the exporter's version. @throws {DecodeError} for another. */
export function readKindName(value: string, field: string): SpanKind {
  return readName(
    value,
    'SPAN_KIND_',
    'UNSPECIFIED',
    readSpanKind,
    `${field}: ${quoteValue(value)} is not a kind of span`,
  );
}

/** @param value `Error`, `ERROR` or `STATUS_CODE_ERROR`. @throws {DecodeError} for another. */
export function readStatusName(value: string, field: string): SpanStatus['code'] {
  return readName(
    value,
    'STATUS_CODE_',
    'UNSET',
    readStatusCode,
    `${field}: ${quoteValue(value)} is not a status of a span`,
  );
}

function readName<T>(
  value: string,
  prefix: string,
  absent: string,
  read: (name: string) => T,
  fault: string,
): T {
  const name = value.toUpperCase().replace(prefix, '');
  try {
    return read(prefix + (name === '' ? absent : name));
  } catch {
    throw new DecodeError(fault);
  }
}

function readEnum<T extends string>(values: readonly T[], prefix: string, text: string, field: string): T {
  const found = values.find((value, number) => text === prefix + value || text === String(number));
  if (found === undefined) throw new DecodeError(`${field}: ${quoteValue(text)} is not a ${prefix}… name`);
  return found;
}

const largestUint64 = 2n ** 64n - 1n;

/**
 * Reads a 64-bit unsigned integer in protobuf's JSON mapping: a decimal string, or a number. An absent value is zero.
 * @throws {DecodeError} for anything else, for instance `NaN`.
 */
export function readUint64(value: number | string | null | undefined, field: string): bigint {
  const integer = toInteger(value ?? 0);
  if (integer === null || integer < 0n || integer > largestUint64) {
    throw new DecodeError(`${field}: ${quoteValue(value)} is not an integer from 0 to 2^64-1`);
  }
  return integer;
}

/**
 * Reads OTLP `flags`. Zero becomes null: in proto3 it cannot be distinguished from an absent field, and no bit is set.
 * @throws {DecodeError} when it is not a 32-bit unsigned integer.
 */
export function readFlags(value: number | string | null | undefined): number | null {
  const integer = toInteger(value ?? 0);
  if (integer === null || integer < 0n || integer > 0xffff_ffffn) {
    throw new DecodeError(`flags: ${quoteValue(value)} is not an integer from 0 to 2^32-1`);
  }
  return integer === 0n ? null : Number(integer);
}

/** @returns Null when the value is not an integer. */
export function toInteger(value: number | string): bigint | null {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : null;
  return /^-?\d{1,20}$/.test(value) ? BigInt(value) : null;
}
