import { quoteValue } from '../decode/quote-value.ts';
import { SourceError } from './source.ts';

/**
 * Checks a trace id that a person gave, or a search answered.
 * @returns It in lower case.
 * @throws {SourceError} when it is not 1 to 32 hex digits: short ids are 64-bit ones whose leading zeros were left out.
 */
export function checkTraceId(sourceName: string, traceId: string): string {
  if (/^[0-9a-f]{1,32}$/i.test(traceId)) return traceId.toLowerCase();
  throw new SourceError(
    `${sourceName}: ${quoteValue(traceId)} is not a trace id; it has 32 hex digits at most`,
  );
}
