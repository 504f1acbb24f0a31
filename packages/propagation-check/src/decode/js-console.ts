import * as z from 'zod';
import { flagsOfParent, type Span, type SpanKind, type SpanLink } from '../span/span.ts';
import { DecodeError } from './decode-error.ts';
import { toStatusCode } from './otlp-fields.ts';
import { isObject } from './otlp-json-value.ts';
import { readPlainAttributes } from './plain-attributes.ts';
import { quoteValue } from './quote-value.ts';
import { readMicroseconds } from './read-microseconds.ts';
import { anyArray, readShape } from './read-shape.ts';
import { readServiceName } from './service-name.ts';
import { readLinkIds, readParentSpanId, readSpanId, readTraceId, type UnreadLink } from './span-id.ts';
import { withLinks } from './with-links.ts';

const text = z.string().nullish();
const time = z.union([z.number(), z.string()]);
const scope = z.object({ name: text }).nullish();
const context = z.object({ traceId: z.string(), spanId: z.string(), isRemote: z.boolean().nullish() });

const spanShape = z.object({
  resource: z.unknown().optional(),
  instrumentationScope: scope,
  instrumentationLibrary: scope,
  traceId: z.string(),
  parentId: text,
  parentSpanContext: context.nullish(),
  traceState: text,
  name: text,
  id: z.string(),
  kind: z.number(),
  timestamp: time,
  duration: time,
  attributes: z.unknown().optional(),
  status: z.object({ code: z.number(), message: text }).nullish(),
  links: anyArray.nullish(),
});

/** Whether an object is a span that `decodeJsConsoleSpan` reads. Zipkin spans look alike, but their kind is not a number. */
export function isJsConsoleSpan(document: Readonly<Record<string, unknown>>): boolean {
  return (
    Object.hasOwn(document, 'traceId') && Object.hasOwn(document, 'id') && typeof document.kind === 'number'
  );
}

/** The numbers of the JavaScript API, which are not those of OTLP. Source: `@opentelemetry/api`, `SpanKind`. */
const kinds: readonly SpanKind[] = ['INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];

/**
 * Decodes a span that OpenTelemetry JavaScript's `ConsoleSpanExporter` printed. Since SDK 2 it prints the parent's context with
 * `isRemote`, from which `flags` are computed as the OTLP exporter does. SDK 1 prints only `parentId`, so `flags` are null.
 *
 * Source: `@opentelemetry/sdk-trace`, `ConsoleSpanExporter.ts`.
 * @throws {DecodeError} with the path of the wrong value; also without a resource, because then no span has a service.
 */
export function decodeJsConsoleSpan(value: unknown): Span {
  const shape = readShape(spanShape, value);
  const kind = kinds[shape.kind];
  if (kind === undefined) throw new DecodeError(`kind: ${shape.kind} is not a SpanKind of JavaScript`);
  const parent = shape.parentSpanContext;
  const start = readMicroseconds(shape.timestamp, 'timestamp');
  const resource = readResource(shape.resource);
  const saysIsRemote = isObject(value) && Object.hasOwn(value, 'parentSpanContext');
  const span = {
    traceId: readTraceId(shape.traceId, 'traceId', 'hex'),
    spanId: readSpanId(shape.id, 'id', 'hex'),
    parentSpanId: readParentSpanId(parent?.spanId ?? shape.parentId, 'parentId', 'hex'),
    traceState: shape.traceState ?? '',
    flags: saysIsRemote ? flagsOfParent(parent?.isRemote === true) : null,
    name: shape.name ?? '',
    kind,
    startTimeUnixNano: start,
    endTimeUnixNano: start + readMicroseconds(shape.duration, 'duration'),
    attributes: readPlainAttributes(shape.attributes, 'attributes'),
    status: { code: toStatusCode(shape.status?.code ?? 0), message: shape.status?.message ?? '' },
    serviceName: readServiceName(resource),
    resource,
    scopeName: (shape.instrumentationScope ?? shape.instrumentationLibrary)?.name ?? '',
  };
  return withLinks(span, shape.links ?? [], 'links', readLink);
}

function readResource(value: unknown) {
  if (isObject(value)) return readPlainAttributes(value.attributes, 'resource.attributes');
  throw new DecodeError(
    `resource: expected an object, received ${quoteValue(value)}; the console exporter of an older JavaScript SDK does not ` +
      'print which service made the span: update it, or export OTLP',
  );
}

function readLink(value: unknown): SpanLink | UnreadLink {
  const { traceId, spanId } = readShape(z.object({ context }), value).context;
  return readLinkIds(traceId, spanId, 'hex');
}
