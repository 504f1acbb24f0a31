import type { Span } from './span.ts';

/**
 * Attributes that count what was left out of a span. The first two count what a limit of the SDK dropped, in formats without fields for
 * these counts. Source: OpenTelemetry specification, "OpenTelemetry Transformation to non-OTLP Formats", dropped attributes, events and
 * links. The third is this tool's own: links with invalid ids, which `links` counts too.
 */
export const droppedCounts = {
  attributes: 'otel.dropped_attributes_count',
  links: 'otel.dropped_links_count',
  invalidLinks: 'propagation_check.invalid_links_count',
} as const;

/** How many links of a span were dropped: it does not name these messages or callers. */
export function countDroppedLinks({ attributes }: Pick<Span, 'attributes'>): number {
  return Number(attributes.get(droppedCounts.links) ?? 0);
}

/** Whether a limit of the SDK dropped attributes of a span: then a missing attribute proves nothing. */
export function hasDroppedAttributes({ attributes }: Pick<Span, 'attributes'>): boolean {
  return attributes.has(droppedCounts.attributes);
}
