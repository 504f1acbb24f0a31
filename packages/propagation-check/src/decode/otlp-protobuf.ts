import { fromBinary } from '@bufbuild/protobuf';
import type { Attributes, AttributeValue, Span, SpanLink } from '../span/span.ts';
import type { Resource } from '../span/span-store.ts';
import { countOf } from '../util/count-of.ts';
import { type PlainValue, toAttributeValue, toIntegerValue } from './attribute-value.ts';
import { checkMemory } from './check-memory.ts';
import { DecodeError, prefixPath } from './decode-error.ts';
import { withDropped } from './dropped-counts.ts';
import {
  type ExportTraceServiceRequest,
  ExportTraceServiceRequestSchema,
} from './generated/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';
import type { AnyValue, KeyValue } from './generated/opentelemetry/proto/common/v1/common_pb.js';
import type {
  ResourceSpans,
  Span_Link,
  Span as SpanMessage,
} from './generated/opentelemetry/proto/trace/v1/trace_pb.js';
import { toSpanKind, toStatusCode } from './otlp-fields.ts';
import { findProtobufFault } from './protobuf-fault.ts';
import { readServiceName } from './service-name.ts';
import { readLinkIds, refuseZero, type UnreadLink } from './span-id.ts';
import { withLinks } from './with-links.ts';

export interface OtlpProtobufOptions {
  /** See `OtlpJsonOptions`. */
  readonly onInvalidSpan?: (error: DecodeError) => void;
}

/**
 * Decodes one OTLP export request, or `TracesData`, which has the same encoding.
 * Unknown fields are ignored; spans that were delivered twice are kept twice.
 *
 * Source: opentelemetry-proto, `collector/trace/v1/trace_service.proto` and `trace/v1/trace.proto`.
 * @throws {DecodeError} with the byte offset at which the bytes stop being this message, or with the path of a wrong value in it.
 */
export function decodeOtlpProtobuf(bytes: Uint8Array, options: OtlpProtobufOptions = {}): readonly Span[] {
  checkMemory(bytes, 'protobuf');
  const spans: Span[] = [];
  for (const [index, resourceSpans] of readExportRequest(bytes).resourceSpans.entries()) {
    decodeOneResource(resourceSpans, `resourceSpans[${index}]`, options, spans);
  }
  return spans;
}

/** Decodes an export request with the generated decoder. @throws {DecodeError} with the byte offset. */
export function readExportRequest(bytes: Uint8Array): ExportTraceServiceRequest {
  try {
    return fromBinary(ExportTraceServiceRequestSchema, bytes, { readUnknownFields: false });
  } catch (error) {
    throw findProtobufFault(ExportTraceServiceRequestSchema, bytes, error);
  }
}

function decodeOneResource(
  message: ResourceSpans,
  path: string,
  options: OtlpProtobufOptions,
  spans: Span[],
): void {
  const { attributes: resource, serviceName } = toResource(message.resource?.attributes ?? []);
  for (const [scopeIndex, scopeSpans] of message.scopeSpans.entries()) {
    const scopeName = scopeSpans.scope?.name ?? '';
    for (const [index, span] of scopeSpans.spans.entries()) {
      try {
        spans.push({ ...toSpan(span), resource, serviceName, scopeName });
      } catch (error) {
        const full = prefixPath(`${path}.scopeSpans[${scopeIndex}].spans[${index}]`, error);
        if (!(full instanceof DecodeError) || options.onInvalidSpan === undefined) throw full;
        options.onInvalidSpan(full);
      }
    }
  }
}

function toSpan(message: SpanMessage): Omit<Span, 'resource' | 'serviceName' | 'scopeName'> {
  const attributes = withDropped(toAttributes(message.attributes), {
    attributes: message.droppedAttributesCount,
    links: message.droppedLinksCount,
  });
  const span = {
    traceId: toId(message.traceId, 16, 'traceId'),
    spanId: toId(message.spanId, 8, 'spanId'),
    parentSpanId: toParentSpanId(message.parentSpanId),
    traceState: message.traceState,
    flags: message.flags === 0 ? null : message.flags,
    name: message.name,
    kind: toSpanKind(message.kind),
    startTimeUnixNano: message.startTimeUnixNano,
    endTimeUnixNano: message.endTimeUnixNano,
    attributes,
    status: { code: toStatusCode(message.status?.code ?? 0), message: message.status?.message ?? '' },
  };
  return withLinks(span, message.links, 'links', toLink);
}

function toId(bytes: Uint8Array, length: 8 | 16, field: string): string {
  if (bytes.length !== length)
    throw new DecodeError(`${field}: has ${countOf(bytes.length, 'byte')}, expected ${length}`);
  const id = toHex(bytes);
  refuseZero(id, field);
  return id;
}

function isEmpty(id: Uint8Array): boolean {
  return id.every((byte) => byte === 0);
}

function toParentSpanId(bytes: Uint8Array): string | null {
  return isEmpty(bytes) && (bytes.length === 0 || bytes.length === 8) ? null : toId(bytes, 8, 'parentSpanId');
}

function toLink({ traceId, spanId }: Span_Link): SpanLink | UnreadLink {
  return readLinkIds(toHex(traceId), toHex(spanId), 'hex');
}

function toHex(id: Uint8Array): string {
  return Buffer.from(id).toString('hex');
}

export function toResource(list: readonly KeyValue[]): Resource {
  const attributes = toAttributes(list);
  return { serviceName: readServiceName(attributes), attributes };
}

export function toAttributes(list: readonly KeyValue[]): Attributes {
  const attributes = new Map<string, AttributeValue>();
  for (const { key, value } of list) attributes.set(key, toAttributeValue(toPlainValue(value)));
  return attributes;
}

function toPlainValue(any: AnyValue | undefined): PlainValue {
  if (any === undefined) return '';
  const value = any.value;
  switch (value.case) {
    case undefined:
      return '';
    case 'intValue':
      return toIntegerValue(value.value);
    case 'bytesValue':
      return Buffer.from(value.value).toString('base64');
    case 'arrayValue':
      return value.value.values.map(toPlainValue);
    case 'kvlistValue':
      return Object.fromEntries(value.value.values.map((entry) => [entry.key, toPlainValue(entry.value)]));
    default:
      return value.value;
  }
}
