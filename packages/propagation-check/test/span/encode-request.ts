import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { ExportTraceServiceRequestSchema } from '../../src/decode/generated/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';
import type {
  AnyValueSchema,
  KeyValueSchema,
} from '../../src/decode/generated/opentelemetry/proto/common/v1/common_pb.js';
import {
  type Attributes,
  type AttributeValue,
  type Span,
  spanKinds,
  statusCodes,
} from '../../src/span/span.ts';

/** Spans as an OTLP export request in protobuf, one resource and scope a span. Ids of 64 bits get zeros in front. */
export function encodeRequest(spans: readonly Span[]): Uint8Array {
  const message = create(ExportTraceServiceRequestSchema, {
    resourceSpans: spans.map((span) => ({
      resource: { attributes: toKeyValues(span.resource) },
      scopeSpans: [
        {
          scope: { name: toText(span.scopeName) },
          spans: [
            {
              traceId: toBytes(span.traceId, 32),
              spanId: toBytes(span.spanId, 16),
              parentSpanId: span.parentSpanId === null ? new Uint8Array() : toBytes(span.parentSpanId, 16),
              traceState: toText(span.traceState),
              flags: span.flags ?? 0,
              name: toText(span.name),
              kind: spanKinds.indexOf(span.kind),
              startTimeUnixNano: span.startTimeUnixNano,
              endTimeUnixNano: span.endTimeUnixNano,
              attributes: toKeyValues(span.attributes),
              links: span.links.map(({ traceId, spanId }) => ({
                traceId: toBytes(traceId, 32),
                spanId: toBytes(spanId, 16),
              })),
              status: { code: statusCodes.indexOf(span.status.code), message: toText(span.status.message) },
            },
          ],
        },
      ],
    })),
  });
  return toBinary(ExportTraceServiceRequestSchema, message);
}

function toKeyValues(attributes: Attributes): MessageInitShape<typeof KeyValueSchema>[] {
  return [...attributes].map(([key, value]) => ({ key: toText(key), value: toAnyValue(value) }));
}

function toAnyValue(value: AttributeValue): MessageInitShape<typeof AnyValueSchema> {
  if (typeof value === 'string') return { value: { case: 'stringValue', value: toText(value) } };
  if (typeof value === 'boolean') return { value: { case: 'boolValue', value } };
  if (typeof value !== 'number') {
    return { value: { case: 'arrayValue', value: { values: value.map(toAnyValue) } } };
  }
  return Number.isSafeInteger(value) && !Object.is(value, -0)
    ? { value: { case: 'intValue', value: BigInt(value) } }
    : { value: { case: 'doubleValue', value } };
}

/** Protobuf holds no other text. */
function toText(text: string): string {
  return text.toWellFormed();
}

function toBytes(id: string, digits: number): Uint8Array {
  return Buffer.from(id.padStart(digits, '0'), 'hex');
}
