import { DecodeError } from './decode-error.ts';
import { toInteger } from './otlp-fields.ts';
import { quoteValue } from './quote-value.ts';

/** @returns Nanoseconds. @throws {DecodeError} when the value is not a number of microseconds. */
export function readMicroseconds(value: number | string, field: string): bigint {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) {
    // Fractions are added apart: together with the seconds since 1970 a number has no room for them.
    const whole = Math.trunc(value);
    return BigInt(whole) * 1_000n + BigInt(Math.round((value - whole) * 1_000));
  }
  const integer = typeof value === 'string' ? toInteger(value) : null;
  if (integer === null || integer < 0n) {
    throw new DecodeError(`${field}: ${quoteValue(value)} is not a number of microseconds`);
  }
  return integer * 1_000n;
}
