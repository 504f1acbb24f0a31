import { quoteValue } from '../decode/quote-value.ts';
import { SourceError } from './source.ts';

/**
 * Checks a trace id from the user or from a search.
 * @returns The id in lower case.
 * @throws {SourceError} when it is not 1 to 32 hex digits. Shorter ids are 64-bit ids without their leading zeros.
 */
export function checkTraceId(sourceName: string, traceId: string): string {
  if (/^[0-9a-f]{1,32}$/i.test(traceId)) return traceId.toLowerCase();
  throw new SourceError(
    `${sourceName}: ${quoteValue(traceId)} is not a trace id; it has 32 hex digits at most`,
  );
}
