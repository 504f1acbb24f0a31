import * as z from 'zod';
import type { Attributes, AttributeValue, Span, SpanKind, SpanLink, SpanStatus } from '../span/span.ts';
import { toIntegerValue } from './attribute-value.ts';
import { DecodeError, prefixPath } from './decode-error.ts';
import { mapWithPath } from './map-with-path.ts';
import { toInteger } from './otlp-fields.ts';
import { isObject } from './otlp-json-value.ts';
import { readPlainAttributes } from './plain-attributes.ts';
import { quoteValue } from './quote-value.ts';
import { readMicroseconds } from './read-microseconds.ts';
import { anyArray, readShape } from './read-shape.ts';
import { readServiceName } from './service-name.ts';
import { readLinkIds, readParentSpanId, readSpanId, readTraceId, type UnreadLink } from './span-id.ts';
import { textTag } from './text-tag.ts';
import { withLinks } from './with-links.ts';

const short = 'short-hex';
const list = anyArray.nullish();
const time = z.union([z.number(), z.string()]);

const traceShape = z.object({ spans: anyArray, processes: z.unknown().optional() });

const spanShape = z.object({
  traceID: z.string(),
  spanID: z.string(),
  parentSpanID: z.string().nullish(),
  operationName: z.string().nullish(),
  references: list,
  startTime: time,
  duration: time.nullish(),
  tags: list,
  tag: z.unknown().optional(),
  processID: z.string().nullish(),
  process: z.unknown().optional(),
});

const referenceShape = z.object({ refType: z.string(), traceID: z.string(), spanID: z.string() });
const processShape = z.object({ serviceName: z.string().nullish(), tags: list, tag: z.unknown().optional() });
const tagShape = z.object({ key: z.string(), type: z.string().nullish(), value: z.unknown().optional() });

/**
 * Decodes the JSON of Jaeger's API v1, which Jaeger UI also downloads: `{"data":[{"spans":[…],"processes":{…}}]}`. A single trace of
 * `data` is accepted as well. `flags` are null, because Jaeger's flags have another meaning; ids may be 64-bit.
 *
 * The parent is the first CHILD_OF reference within the trace, or else the first FOLLOWS_FROM reference within the trace, as in Jaeger
 * itself. OpenTracing clients had no other way to name a parent, and the links of an OpenTelemetry root span lead to other traces. All
 * other references become links.
 *
 * Source: Jaeger, `model/json`; OpenTelemetry specification, "OpenTelemetry to Jaeger Transformation".
 * @throws {DecodeError} with the path of the wrong value.
 */
export function decodeJaegerJson(document: unknown): readonly Span[] {
  if (!isObject(document))
    throw new DecodeError(`document: expected an object, received ${quoteValue(document)}`);
  if (document.spans !== undefined) return decodeTrace(document);
  const { data, errors } = document;
  if (data === null || data === undefined) {
    const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
    const says = isObject(first) ? `Jaeger answered an error: ${quoteValue(first.msg)}` : 'expected an array';
    throw new DecodeError(`data: ${says}`);
  }
  if (!Array.isArray(data)) throw new DecodeError('data: expected an array');
  return mapWithPath(data, 'data', decodeTrace).flat();
}

function decodeTrace(value: unknown): readonly Span[] {
  const trace = readShape(traceShape, value);
  const processes = readProcesses(trace.processes);
  return mapWithPath(trace.spans, 'spans', (span) => decodeSpan(span, processes));
}

/**
 * Decodes a single span that contains its process, as Jaeger writes it to Elasticsearch and Kafka.
 * @throws {DecodeError} with the path of the wrong value.
 */
export function decodeJaegerSpan(value: unknown): Span {
  if (isObject(value) && !isObject(value.process)) {
    throw new DecodeError(
      'process: missing, so that no service is known; a span of Jaeger\'s API has it in the trace\'s "processes": ' +
        'take the whole answer of /api/traces/TRACE_ID',
    );
  }
  return decodeSpan(value, new Map());
}

interface Process {
  readonly serviceName: string | null;
  readonly resource: Attributes;
}

function readProcesses(value: unknown): ReadonlyMap<string, Process> {
  if (value === undefined || value === null) return new Map();
  if (!isObject(value)) throw new DecodeError(`processes: expected an object, received ${quoteValue(value)}`);
  return new Map(
    Object.entries(value).map(([id, process]) => {
      try {
        return [id, readProcess(process)];
      } catch (error) {
        throw prefixPath(`processes[${quoteValue(id)}]`, error);
      }
    }),
  );
}

function readProcess(value: unknown): Process {
  const { serviceName, tags, tag } = readShape(processShape, value);
  const resource = new Map([...readTags(tags ?? []), ...readTagFields(tag)]);
  if (serviceName) resource.set('service.name', serviceName);
  return { resource, serviceName: readServiceName(resource) };
}

const unknownProcess: Process = { serviceName: null, resource: new Map() };

function decodeSpan(value: unknown, processes: ReadonlyMap<string, Process>): Span {
  const shape = readShape(spanShape, value);
  const traceId = readTraceId(shape.traceID, 'traceID', short);
  const tags = new Map([...readTags(shape.tags ?? []), ...readTagFields(shape.tag)]);
  const start = readMicroseconds(shape.startTime, 'startTime');
  const embedded = shape.process ? readProcess(shape.process) : undefined;
  const { serviceName, resource } = embedded ?? processes.get(shape.processID ?? '') ?? unknownProcess;
  const span = {
    traceId,
    spanId: readSpanId(shape.spanID, 'spanID', short),
    parentSpanId: readParentSpanId(shape.parentSpanID, 'parentSpanID', short),
    traceState: textTag(tags, 'w3c.tracestate'),
    flags: null,
    name: shape.operationName ?? '',
    kind: readKind(tags.get('span.kind')),
    startTimeUnixNano: start,
    endTimeUnixNano: start + readMicroseconds(shape.duration ?? 0, 'duration'),
    attributes: withoutMappedTags(tags),
    status: readStatus(tags),
    serviceName,
    resource,
    scopeName: textTag(tags, 'otel.scope.name') || textTag(tags, 'otel.library.name'),
  };
  return withReferences(span, shape.references ?? []);
}

interface Reference extends SpanLink {
  readonly isChildOf: boolean;
}

/** @throws {DecodeError} when a parent's id is not valid. */
function withReferences(span: Omit<Span, 'links'>, list: readonly unknown[]): Span {
  const { links: references, ...read } = withLinks(span, list, 'references', readReference);
  const inTrace = references.filter((reference) => reference.traceId === span.traceId);
  const parent = inTrace.find(({ isChildOf }) => isChildOf) ?? inTrace[0];
  const links = references.filter((reference) => reference !== parent);
  return {
    ...read,
    parentSpanId: parent?.spanId ?? span.parentSpanId,
    links: links.map(({ traceId, spanId }) => ({ traceId, spanId })),
  };
}

function readReference(value: unknown): Reference | UnreadLink {
  const { refType, traceID, spanID } = readShape(referenceShape, value);
  if (refType === 'CHILD_OF') {
    const [traceId, spanId] = [readTraceId(traceID, 'traceID', short), readSpanId(spanID, 'spanID', short)];
    return { isChildOf: true, traceId, spanId };
  }
  const link = readLinkIds(traceID, spanID, short);
  return typeof link === 'string' ? link : { ...link, isChildOf: false };
}

const kinds: ReadonlyMap<AttributeValue | undefined, SpanKind> = new Map([
  ['internal', 'INTERNAL'],
  ['server', 'SERVER'],
  ['client', 'CLIENT'],
  ['producer', 'PRODUCER'],
  ['consumer', 'CONSUMER'],
]);

function readKind(tag: AttributeValue | undefined): SpanKind {
  return kinds.get(typeof tag === 'string' ? tag.toLowerCase() : tag) ?? 'UNSPECIFIED';
}

function readStatus(tags: Attributes): SpanStatus {
  const message = textTag(tags, 'otel.status_description');
  const code = textTag(tags, 'otel.status_code');
  const error = tags.get('error');
  if (code === 'ERROR' || error === true || error === 'true') return { code: 'ERROR', message };
  return { code: code === 'OK' ? 'OK' : 'UNSET', message };
}

/** Tags that are read into fields of the span. */
const mappedTags: ReadonlySet<string> = new Set([
  'span.kind',
  'w3c.tracestate',
  'otel.status_code',
  'otel.status_description',
  'otel.scope.name',
  'otel.scope.version',
  'otel.library.name',
  'otel.library.version',
]);

function withoutMappedTags(tags: Attributes): Attributes {
  return new Map([...tags].filter(([key]) => !mappedTags.has(key)));
}

function readTags(list: readonly unknown[]): Attributes {
  return new Map(mapWithPath(list, 'tags', readTag));
}

/**
 * Reads the object that Jaeger writes to Elasticsearch with `tags-as-fields`. A dot in a name would nest, so `@` replaces it:
 * `{"span@kind":"client"}`.
 */
function readTagFields(value: unknown): Attributes {
  if (value === undefined || value === null) return new Map();
  return new Map(
    [...readPlainAttributes(value, 'tag')].map(([key, entry]) => [key.replaceAll('@', '.'), entry]),
  );
}

/**
 * Types are `string`, `bool`, `int64`, `float64` and `binary`; integers that a number cannot hold are strings. In Elasticsearch every
 * value is a string.
 */
function readTag(tag: unknown): readonly [string, AttributeValue] {
  const { key, type, value } = readShape(tagShape, tag);
  if (type === 'bool' && (value === 'true' || value === 'false')) return [key, value === 'true'];
  if (
    type === 'float64' &&
    typeof value === 'string' &&
    value.trim() !== '' &&
    Number.isFinite(Number(value))
  ) {
    return [key, Number(value)];
  }
  if (type === 'int64' && typeof value === 'string') {
    const integer = toInteger(value);
    if (integer === null) throw new DecodeError(`value: ${quoteValue(value)} is not an integer`);
    return [key, toIntegerValue(integer)];
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return [key, value];
  if (value === null || value === undefined) return [key, ''];
  throw new DecodeError(`value: expected string, number or boolean, received ${quoteValue(value)}`);
}
