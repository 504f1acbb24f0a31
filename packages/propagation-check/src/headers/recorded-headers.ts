import { type HeaderSide, headerFamilies } from '../span/header-families.ts';
import type { Span } from '../span/span.ts';
import type { HeaderField, PropagationFormat } from './evidence.ts';
import { isHiddenValue } from './hidden-value.ts';
import { formatOfIdHeader, isPropagationHeader } from './propagation-header.ts';
import { answerHeaders } from './read-answered-context.ts';

/**
 * The lower-case name of the propagation or answer header that an attribute records; null for any other attribute. Before 1.23 the semantic
 * conventions replaced `-` by `_`; no such header has `_` in its name.
 */
export function readHeaderName(attribute: string, side: HeaderSide): string | null {
  const family = headerFamilies[side].find((start) => attribute.startsWith(start));
  if (family === undefined) return null;
  const name = attribute.slice(family.length).toLowerCase().replaceAll('_', '-');
  const isMeant = side === 'request' ? isPropagationHeader(name) : answerHeaders.includes(name);
  return isMeant ? name : null;
}

/** The headers of one request or answer that an instrumentation recorded. */
export interface RecordedHeaders {
  readonly fields: readonly HeaderField[];
  /** Names of the recorded headers. An empty list as the value means that the header was absent. */
  readonly names: readonly string[];
  /** Names of headers whose values were hidden, before or after they were recorded. */
  readonly hidden: readonly string[];
}

/** The propagation headers of a request, or the headers of an answer that name a span, as recorded on a span. */
export function readRecordedHeaders(span: Span | null, side: HeaderSide): RecordedHeaders {
  const attributes = span?.attributes;
  const found = Array.from(attributes?.keys() ?? []).flatMap((attribute) => {
    const name = readHeaderName(attribute, side);
    if (name === null) return [];
    const values = listValues(attributes?.get(attribute));
    return [{ name, values, isHidden: values.some((one) => isHiddenValue(name, one)) }];
  });
  const shown = found.filter((header) => !header.isHidden);
  return {
    fields: shown.flatMap(({ name, values }) => values.map((value) => ({ name, value }))),
    names: shown.map(({ name }) => name),
    hidden: found.flatMap(({ name, isHidden }) => (isHidden ? name : [])),
  };
}

/** The formats whose id header is among the names. */
export function listFormats(names: Iterable<string>): ReadonlySet<PropagationFormat> {
  return new Set(Array.from(names).flatMap((name) => formatOfIdHeader(name) ?? []));
}

/** The texts of an attribute. Jaeger stores a list as its JSON text. */
export function listValues(value: unknown): readonly string[] {
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
