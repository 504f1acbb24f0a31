import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { type Attributes, type AttributeValue, type Span, spanKinds, statusCodes } from '../span/span.ts';
import { mapBy } from '../util/group-by.ts';
import { ExportTraceServiceRequestSchema } from './generated/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';
import type { AnyValueSchema, KeyValueSchema } from './generated/opentelemetry/proto/common/v1/common_pb.js';
import type { SpanSchema } from './generated/opentelemetry/proto/trace/v1/trace_pb.js';

/** Encodes spans as an OTLP export request in protobuf, grouped by resource and scope. 64-bit ids are padded with zeros. */
export function encodeOtlpProtobuf(spans: readonly Span[]): Uint8Array {
  const byResource = mapBy(spans, (span) => span.resource);
  const message = create(ExportTraceServiceRequestSchema, {
    resourceSpans: [...byResource].map(([resource, group]) => ({
      resource: { attributes: toKeyValues(resource) },
      scopeSpans: [...mapBy(group, (span) => span.scopeName)].map(([name, ofScope]) => ({
        scope: { name: toText(name) },
        spans: ofScope.map(toMessage),
      })),
    })),
  });
  return toBinary(ExportTraceServiceRequestSchema, message);
}

function toMessage(span: Span): MessageInitShape<typeof SpanSchema> {
  return {
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
  };
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

/** A protobuf string must be well-formed Unicode. */
function toText(text: string): string {
  return text.toWellFormed();
}

function toBytes(id: string, digits: number): Uint8Array<ArrayBuffer> {
  return Buffer.from(id.padStart(digits, '0'), 'hex');
}
