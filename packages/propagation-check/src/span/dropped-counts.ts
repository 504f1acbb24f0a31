import type { Span } from './span.ts';

/**
 * The attributes that say how much is left out of a span. The first two count what a limit of the SDK kept out; formats without fields for
 * these counts have the same. Source: OpenTelemetry specification, "OpenTelemetry Transformation to non-OTLP Formats", dropped attributes,
 * events and links. The third one is of this tool: links whose ids are not valid. `links` counts these, too.
 */
export const droppedCounts = {
  attributes: 'otel.dropped_attributes_count',
  links: 'otel.dropped_links_count',
  invalidLinks: 'propagation_check.invalid_links_count',
} as const;

/** How many links are left out of a span: messages and callers that it does not name. */
export function countDroppedLinks({ attributes }: Pick<Span, 'attributes'>): number {
  return Number(attributes.get(droppedCounts.links) ?? 0);
}

/** Whether a limit of the SDK kept attributes out of a span: that it lacks one proves nothing. */
export function hasDroppedAttributes({ attributes }: Pick<Span, 'attributes'>): boolean {
  return attributes.has(droppedCounts.attributes);
}
