import * as z from 'zod';
import type { Span } from '../span/span.ts';
import { readIsoTime } from './iso-time.ts';
import { readSpanKind, readStatusCode } from './otlp-fields.ts';
import { isObject } from './otlp-json-value.ts';
import { readPlainAttributes } from './plain-attributes.ts';
import { anyArray, readShape } from './read-shape.ts';
import { readServiceName } from './service-name.ts';
import { readLinkIds, readParentSpanId, readSpanId, readTraceId } from './span-id.ts';
import { withLinks } from './with-links.ts';

const text = z.string().nullish();
const context = z.object({ trace_id: z.string(), span_id: z.string() });

const spanShape = z.object({
  name: text,
  context,
  kind: z.string(),
  parent_id: text,
  start_time: z.unknown().optional(),
  end_time: z.unknown().optional(),
  status: z.object({ status_code: z.string(), description: text }).nullish(),
  attributes: z.unknown().optional(),
  links: anyArray.nullish(),
  resource: z.record(z.string(), z.unknown()),
});

/** Whether an object is a span that `decodePythonConsoleSpan` reads. */
export function isPythonConsoleSpan(document: Readonly<Record<string, unknown>>): boolean {
  return (
    isObject(document.context) &&
    Object.hasOwn(document.context, 'trace_id') &&
    ['kind', 'start_time'].every((field) => Object.hasOwn(document, field))
  );
}

/**
 * Decodes a span that OpenTelemetry Python's `ConsoleSpanExporter` printed (`ReadableSpan.to_json`). `flags` are null and `scopeName` is
 * empty: the exporter prints neither.
 *
 * Source: opentelemetry-python, `sdk/trace/__init__.py`.
 * @throws {DecodeError} with the path of the wrong value.
 */
export function decodePythonConsoleSpan(value: unknown): Span {
  const shape = readShape(spanShape, value);
  // Before version 1.6 the attributes are direct fields of the resource.
  const resource = readPlainAttributes(shape.resource.attributes ?? shape.resource, 'resource.attributes');
  const span = {
    traceId: readTraceId(withoutPrefix(shape.context.trace_id), 'context.trace_id', 'hex'),
    spanId: readSpanId(withoutPrefix(shape.context.span_id), 'context.span_id', 'hex'),
    parentSpanId: readParentSpanId(withoutPrefix(shape.parent_id ?? ''), 'parent_id', 'hex'),
    traceState: '',
    flags: null,
    name: shape.name ?? '',
    kind: readSpanKind(shape.kind.replace('SpanKind.', 'SPAN_KIND_')),
    startTimeUnixNano: readIsoTime(shape.start_time, 'start_time'),
    endTimeUnixNano: readIsoTime(shape.end_time, 'end_time'),
    attributes: readPlainAttributes(shape.attributes ?? {}, 'attributes'),
    status: {
      code: readStatusCode(`STATUS_CODE_${shape.status?.status_code ?? 'UNSET'}`),
      message: shape.status?.description ?? '',
    },
    serviceName: readServiceName(resource),
    resource,
    scopeName: '',
  };
  return withLinks(span, shape.links ?? [], 'links', (link) => {
    const { trace_id, span_id } = readShape(z.object({ context }), link).context;
    return readLinkIds(withoutPrefix(trace_id), withoutPrefix(span_id), 'hex');
  });
}

function withoutPrefix(id: string): string {
  return id.replace(/^0x/, '');
}
