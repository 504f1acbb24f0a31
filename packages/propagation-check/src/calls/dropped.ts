import { droppedCounts } from '../span/dropped-counts.ts';
import type { Span } from '../span/span.ts';

/** How many links a limit of the SDK kept out of a span: messages and callers that it does not name. */
export function countDroppedLinks({ attributes }: Pick<Span, 'attributes'>): number {
  return Number(attributes.get(droppedCounts.links) ?? 0);
}

/** Whether a limit of the SDK kept attributes out of a span: that it lacks one proves nothing. */
export function hasDroppedAttributes({ attributes }: Pick<Span, 'attributes'>): boolean {
  return attributes.has(droppedCounts.attributes);
}
