import { countDroppedLinks } from '../span/dropped-counts.ts';
import type { Attributes, Span, SpanLink } from '../span/span.ts';
import { prefixPath } from './decode-error.ts';
import { withDropped } from './dropped-counts.ts';
import type { UnreadLink } from './span-id.ts';

/**
 * Adds links to a span. A link with an invalid id is left out and counted in the attributes. A link with an empty span context is left
 * out too, but not counted: instrumentations may record it. Source: OpenTelemetry specification, "Add Link".
 * @param read Reads one link.
 * @throws {DecodeError} with the path of a value that is not a link.
 */
export function withLinks<S extends Pick<Span, 'attributes'>, T, L extends SpanLink>(
  span: S,
  list: readonly T[],
  field: string,
  read: (value: T, index: number) => L | UnreadLink,
): S & { readonly attributes: Attributes; readonly links: readonly L[] } {
  const links: L[] = [];
  let invalidLinks = 0;
  for (const [index, value] of list.entries()) {
    try {
      const link = read(value, index);
      if (link === 'invalid') invalidLinks += 1;
      else if (link !== 'empty') links.push(link);
    } catch (error) {
      throw prefixPath(`${field}[${index}]`, error);
    }
  }
  if (invalidLinks === 0) return { ...span, links };
  const counts = { links: countDroppedLinks(span) + invalidLinks, invalidLinks };
  return { ...span, attributes: withDropped(span.attributes, counts), links };
}
