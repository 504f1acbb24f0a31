/**
 * Whether a recorded header value was replaced, in whole or in part. Sources: the Collector's redaction processor (`****`, or an MD5, SHA-1
 * or SHA-3 hash of what matched) and attributes processor (`hash`); Bindplane's mask processor (`[masked_…]`); Sentry (`[Filtered]`,
 * `[removed]`); Datadog (`?`); Elastic APM and OpenTelemetry Python (`[REDACTED]`); .NET (`<redacted:…>`).
 */
export function isHiddenValue(name: string, value: string): boolean {
  return mask.test(value) || (name === 'traceparent' && !isWrittenTraceparent(value));
}

const mask =
  /\*{3}|^\W*$|^\W*(?:redacted|filtered|masked|hidden|removed|censored|scrubbed|sanitized|obfuscated)(?:[:_ -]\w*)?\W*$/i;

/**
 * Whether a program may have written the value as a `traceparent`, valid or not: ids with separators, or an undefined variable in their
 * place. Hex digits without separators may be a hash, and so may a field that is longer than any id.
 */
function isWrittenTraceparent(value: string): boolean {
  if (wholeTraceparent.test(value.trimStart().slice(0, sample.length))) return true;
  const ids = value.replaceAll(/undefined|null|none|nan|\[object \w+\]/gi, '0');
  return ids === '0' || (/^["']?[\da-f]+[-:][\da-f:,\- ]*["']?$/i.test(ids) && !longerThanIds.test(ids));
}

/** SHA-1 has 40 hex digits; MD5 has as many as a trace id. */
const longerThanIds = /[\da-f]{40}/i;

/**
 * Whether the value is the beginning of a valid `traceparent`. An attribute length limit cuts it like this, and some programs send it like
 * this.
 */
export function isBeginningOfTraceparent(value: string): boolean {
  return value.length < sample.length && wholeTraceparent.test(value + sample.slice(value.length));
}

const sample = `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01`;
const wholeTraceparent = /^(?!ff)[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/;
