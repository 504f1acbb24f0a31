import * as z from 'zod';
import { type Attributes, type AttributeValue, flagsOfParent, type Span } from '../span/span.ts';
import { toAttributeValue } from './attribute-value.ts';
import { DecodeError } from './decode-error.ts';
import { readIsoTime } from './iso-time.ts';
import { mapWithPath } from './map-with-path.ts';
import { readStatusCode, toSpanKind } from './otlp-fields.ts';
import { isObject } from './otlp-json-value.ts';
import { readPlainValue } from './plain-attributes.ts';
import { anyArray, readShape } from './read-shape.ts';
import { readServiceName } from './service-name.ts';
import { isZero, readLinkIds, readParentSpanId, readSpanId, readTraceId } from './span-id.ts';
import { withLinks } from './with-links.ts';

const text = z.string().nullish();
const list = anyArray.nullish();
const scope = z.object({ Name: text }).nullish();
const context = z.object({
  TraceID: z.string(),
  SpanID: z.string(),
  TraceFlags: text,
  TraceState: text,
  Remote: z.boolean().nullish(),
});

const spanShape = z.object({
  Name: text,
  SpanContext: context,
  Parent: context.nullish(),
  SpanKind: z.number(),
  StartTime: z.unknown().optional(),
  EndTime: z.unknown().optional(),
  Attributes: list,
  Links: list,
  Status: z.object({ Code: z.string(), Description: text }).nullish(),
  Resource: list,
  InstrumentationScope: scope,
  InstrumentationLibrary: scope,
});
const attributeShape = z.object({ Key: z.string(), Value: z.object({ Value: z.unknown().optional() }) });

/** Whether an object is a span that `decodeGoConsoleSpan` reads. */
export function isGoConsoleSpan(document: Readonly<Record<string, unknown>>): boolean {
  return isObject(document.SpanContext);
}

/**
 * Decodes a span that OpenTelemetry Go's `stdouttrace` printed. `flags` are computed from the parent's context, as Go's OTLP exporter
 * does.
 *
 * Source: opentelemetry-go, `sdk/trace/tracetest/span.go` and `exporters/stdout/stdouttrace`.
 * @throws {DecodeError} with the path of the wrong value; also for spans without times.
 */
export function decodeGoConsoleSpan(value: unknown): Span {
  const shape = readShape(spanShape, value);
  const resource = readAttributes(shape.Resource, 'Resource');
  const parent = shape.Parent;
  const hasParent = parent !== null && parent !== undefined && !isZero(parent.SpanID);
  const isSame = hasParent && parent.TraceID === shape.SpanContext.TraceID;
  if (hasParent && !isSame) throw new DecodeError("Parent.TraceID: is not the span's own trace");
  const span = {
    traceId: readTraceId(shape.SpanContext.TraceID, 'SpanContext.TraceID', 'hex'),
    spanId: readSpanId(shape.SpanContext.SpanID, 'SpanContext.SpanID', 'hex'),
    parentSpanId: readParentSpanId(parent?.SpanID, 'Parent.SpanID', 'hex'),
    traceState: shape.SpanContext.TraceState ?? '',
    flags: parent ? flagsOfParent(parent.Remote === true) : null,
    name: shape.Name ?? '',
    kind: toSpanKind(shape.SpanKind),
    startTimeUnixNano: readTime(shape.StartTime, 'StartTime'),
    endTimeUnixNano: readTime(shape.EndTime, 'EndTime'),
    attributes: readAttributes(shape.Attributes, 'Attributes'),
    status: {
      code: readStatusCode(`STATUS_CODE_${(shape.Status?.Code ?? 'Unset').toUpperCase()}`),
      message: shape.Status?.Description ?? '',
    },
    serviceName: readServiceName(resource),
    resource,
    scopeName: (shape.InstrumentationScope ?? shape.InstrumentationLibrary)?.Name ?? '',
  };
  return withLinks(span, shape.Links ?? [], 'Links', (link) => {
    const { TraceID, SpanID } = readShape(z.object({ SpanContext: context }), link).SpanContext;
    return readLinkIds(TraceID, SpanID, 'hex');
  });
}

function readTime(value: unknown, field: string): bigint {
  if (value !== '0001-01-01T00:00:00Z') return readIsoTime(value, field);
  throw new DecodeError(
    `${field}: the spans have no times; print them without stdouttrace.WithoutTimestamps()`,
  );
}

function readAttributes(entries: readonly unknown[] | null | undefined, field: string): Attributes {
  return new Map(mapWithPath(entries ?? [], field, readAttribute));
}

function readAttribute(entry: unknown): readonly [string, AttributeValue] {
  const { Key, Value } = readShape(attributeShape, entry);
  return [Key, toAttributeValue(readPlainValue(Value.Value))];
}
