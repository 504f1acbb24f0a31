import type { Span } from '../span/span.ts';

/** Whether a limit of the SDK kept attributes out of a span: that it lacks one proves nothing. */
export function hasDroppedAttributes({ attributes }: Pick<Span, 'attributes'>): boolean {
  return attributes.has('otel.dropped_attributes_count');
}
