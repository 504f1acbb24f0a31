import { DecodeError } from './decode-error.ts';
import { quoteValue } from './quote-value.ts';

const isoTime = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)?$/;

/**
 * Reads an RFC 3339 time to the nanosecond; without a zone it is UTC.
 * @returns Nanoseconds since the Unix epoch. @throws {DecodeError} for anything else, and for times before 1970.
 */
export function readIsoTime(value: unknown, field: string): bigint {
  const [, date, time, fraction = '', zone = 'Z'] = (typeof value === 'string' && isoTime.exec(value)) || [];
  const milliseconds = Date.parse(`${date}T${time}${zone}`);
  if (!(milliseconds >= 0)) throw new DecodeError(`${field}: ${quoteValue(value)} is not a time since 1970`);
  return BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}
