/**
 * The attributes that say how much a limit of the SDK kept out of a span; formats without fields for these counts have the same. Source:
 * OpenTelemetry specification, "OpenTelemetry Transformation to non-OTLP Formats", dropped attributes, events and links.
 */
export const droppedCounts = {
  attributes: 'otel.dropped_attributes_count',
  links: 'otel.dropped_links_count',
} as const;
