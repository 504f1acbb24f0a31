import { type HeaderSide, headerFamilies } from '../span/header-families.ts';
import type { Span } from '../span/span.ts';
import type { HeaderField, PropagationFormat } from './evidence.ts';
import { isHiddenValue } from './hidden-value.ts';
import { formatOfIdHeader, isPropagationHeader } from './propagation-header.ts';
import { answerHeaders } from './read-answered-context.ts';

/**
 * The name in lower case of the propagation or answer header that an attribute records; null for any other attribute.
 * Before 1.23 the conventions had `_` for `-`, which no such header has.
 */
export function readHeaderName(attribute: string, side: HeaderSide): string | null {
  const family = headerFamilies[side].find((start) => attribute.startsWith(start));
  if (family === undefined) return null;
  const name = attribute.slice(family.length).toLowerCase().replaceAll('_', '-');
  const isMeant = side === 'request' ? isPropagationHeader(name) : answerHeaders.includes(name);
  return isMeant ? name : null;
}

/** What an instrumentation recorded of the headers of one request or answer. */
export interface RecordedHeaders {
  readonly fields: readonly HeaderField[];
  /** Names of the headers that were looked at. A list without a value says that none came. */
  readonly names: readonly string[];
  /** Names of the headers whose values were hidden, before or after the instrumentation recorded them. */
  readonly hidden: readonly string[];
}

/** The propagation headers of a request, or the answer's headers that name a span, as a span has them. */
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

/** The texts of an attribute: of a list, or as Jaeger stores a list, of its JSON as a text. */
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
