import type { Span } from '../span/span.ts';
import type { HeaderField } from './evidence.ts';

/**
 * The headers that an instrumentation recorded in a span; none where it recorded none of these, or there is no span.
 * Source: OpenTelemetry semantic conventions, `http.request.header.<key>` and `http.response.header.<key>`.
 */
export function readRecordedHeaders(
  span: Span | null,
  side: 'request' | 'response',
  names: readonly string[],
): readonly HeaderField[] {
  return names.flatMap((name) => {
    const value = span?.attributes.get(`http.${side}.header.${name}`);
    return value === undefined ? [] : listValues(value).map((one) => ({ name, value: one }));
  });
}

/** The values of a header: a list, or as Jaeger stores a list, its JSON as a text. */
function listValues(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String);
  const text = String(value);
  if (!text.startsWith('[')) return [text];
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list.map(String) : [text];
  } catch {
    return [text];
  }
}
