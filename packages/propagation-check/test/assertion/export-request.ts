import type { Span } from '../../src/span.ts';

const kinds = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];

/** Drawn spans as an OTLP JSON export request. */
export function toExportRequest(spans: readonly Span[]): object {
  return {
    resourceSpans: spans.map((span) => ({
      resource: {
        attributes: span.serviceName === null ? [] : [toAttribute('service.name', span.serviceName)],
      },
      scopeSpans: [
        {
          spans: [
            {
              traceId: span.traceId,
              spanId: span.spanId,
              parentSpanId: span.parentSpanId ?? '',
              name: span.name,
              kind: kinds.indexOf(span.kind),
              startTimeUnixNano: `${span.startTimeUnixNano}`,
              endTimeUnixNano: `${span.endTimeUnixNano}`,
              attributes: [...span.attributes].map(([key, value]) => toAttribute(key, String(value))),
            },
          ],
        },
      ],
    })),
  };
}

function toAttribute(key: string, stringValue: string): object {
  return { key, value: { stringValue } };
}
