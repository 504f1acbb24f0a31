import { DecodeError } from './decode-error.ts';
import { toInteger } from './otlp-fields.ts';
import { quoteValue } from './quote-value.ts';

/** @returns Nanoseconds. Fractions of a microsecond are rounded. @throws {DecodeError} when the value is not a number of microseconds. */
export function readMicroseconds(value: number | string, field: string): bigint {
  const integer =
    typeof value === 'number' && Number.isFinite(value) ? BigInt(Math.round(value)) : toInteger(value);
  if (integer === null || integer < 0n) {
    throw new DecodeError(`${field}: ${quoteValue(value)} is not a number of microseconds`);
  }
  return integer * 1_000n;
}
