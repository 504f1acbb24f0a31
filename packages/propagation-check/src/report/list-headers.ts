import { readHeaderName } from '../headers/recorded-headers.ts';
import type { AttributeValue, Span } from '../span/span.ts';
import { escapeText } from './escape-text.ts';

/**
 * `traceparent: 00-…`: the propagation headers that a span recorded, those of the request first. A header that is recorded as an empty list
 * was absent: `(none)`. Of baggage only the names are shown, because values may be secrets.
 */
export function listHeaders(span: Span): readonly string[] {
  return (['request', 'response'] as const).flatMap((side) =>
    [...span.attributes].flatMap(([key, value]) => {
      const name = readHeaderName(key, side);
      return name === null ? [] : [`${name}: ${name === 'baggage' ? hideValues(value) : writeValue(value)}`];
    }),
  );
}

function writeValue(value: AttributeValue): string {
  const text = typeof value === 'object' ? value.map(String).join(', ') : String(value);
  return text === '' || text === '[]' ? '(none)' : escapeText(text);
}

/** Source: W3C Baggage, 3.2.1. */
function hideValues(value: AttributeValue): string {
  return writeValue(value)
    .split(',')
    .map((member) => member.replace(/=.*/, '=…'))
    .join(',');
}
