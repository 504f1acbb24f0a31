/**
 * Whether something replaced the value of a recorded header, in whole or in part. Sources: the Collector's redaction processor (`****`, or MD5,
 * SHA-1 or SHA-3 in the place of what matched) and attributes processor (`hash`); Bindplane's mask processor (`[masked_…]`); Sentry
 * (`[Filtered]`, `[removed]`); Datadog (`?`); Elastic APM and OpenTelemetry Python (`[REDACTED]`); .NET (`<redacted:…>`).
 */
export function isHiddenValue(name: string, value: string): boolean {
  return mask.test(value) || (name === 'traceparent' && !isWrittenTraceparent(value));
}

const mask =
  /\*{3}|^\W*$|^\W*(?:redacted|filtered|masked|hidden|removed|censored|scrubbed|sanitized|obfuscated)(?:[:_ -]\w*)?\W*$/i;

/**
 * Whether a program may have written this as a `traceparent`, right or wrong: ids with separators, or an empty variable in their place.
 * Hex digits alone may be a hash, and so may a field that is longer than any id.
 */
function isWrittenTraceparent(value: string): boolean {
  if (wholeTraceparent.test(value.trimStart().slice(0, sample.length))) return true;
  const ids = value.replaceAll(/undefined|null|none|nan|\[object \w+\]/gi, '0');
  return ids === '0' || (/^["']?[\da-f]+[-:][\da-f:,\- ]*["']?$/i.test(ids) && !longerThanIds.test(ids));
}

/** SHA-1 has 40 hex digits, and MD5 as many as a trace id. */
const longerThanIds = /[\da-f]{40}/i;

/** Whether the value is the beginning of a right `traceparent`: an attribute length limit cuts it so, and some programs write it so. */
export function isBeginningOfTraceparent(value: string): boolean {
  return value.length < sample.length && wholeTraceparent.test(value + sample.slice(value.length));
}

const sample = `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01`;
const wholeTraceparent = /^(?!ff)[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/;
