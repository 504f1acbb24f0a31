import { groupBy } from '../util/group-by.ts';
import { type Attributes, type AttributeValue, type Span, spanKinds, statusCodes } from './span.ts';

/**
 * Encodes spans as JSON Lines: one OTLP `TracesData` message for each resource, as the Collector's file exporter writes them. Source:
 * OpenTelemetry protocol, "JSON Protobuf Encoding" (hex ids, enums as numbers, 64-bit integers as strings).
 */
export function encodeOtlpLines(spans: readonly Span[]): string {
  return groupBy(spans, (span) => JSON.stringify([...span.resource]))
    .map((group) => `${JSON.stringify({ resourceSpans: [encodeResourceSpans(group)] })}\n`)
    .join('');
}

function encodeResourceSpans(spans: readonly Span[]): object {
  return {
    resource: { attributes: encodeAttributes(spans[0]?.resource ?? new Map()) },
    scopeSpans: groupBy(spans, (span) => span.scopeName).map((group) => ({
      scope: { name: group[0]?.scopeName ?? '' },
      spans: group.map(encodeSpan),
    })),
  };
}

function encodeSpan(span: Span): object {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId === null ? {} : { parentSpanId: span.parentSpanId }),
    ...(span.traceState === '' ? {} : { traceState: span.traceState }),
    ...(span.flags === null ? {} : { flags: span.flags }),
    name: span.name,
    kind: spanKinds.indexOf(span.kind),
    startTimeUnixNano: span.startTimeUnixNano.toString(),
    endTimeUnixNano: span.endTimeUnixNano.toString(),
    attributes: encodeAttributes(span.attributes),
    links: span.links,
    status: { code: statusCodes.indexOf(span.status.code), message: span.status.message },
  };
}

function encodeAttributes(attributes: Attributes): readonly object[] {
  return [...attributes].map(([key, value]) => ({ key, value: encodeValue(value) }));
}

function encodeValue(value: AttributeValue): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value !== 'number') return { arrayValue: { values: value.map(encodeValue) } };
  return Number.isSafeInteger(value) ? { intValue: value.toString() } : { doubleValue: value };
}
