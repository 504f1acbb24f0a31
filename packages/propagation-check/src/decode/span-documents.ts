import * as z from 'zod';
import type { Attributes, Span, SpanLink } from '../span/span.ts';
import { DecodeError } from './decode-error.ts';
import { flattenAttributes } from './flatten-attributes.ts';
import { readIsoTime } from './iso-time.ts';
import { readFlags, readKindName, readStatusName, readUint64, toStatusCode } from './otlp-fields.ts';
import { isObject } from './otlp-json-value.ts';
import { readPlainAttributes } from './plain-attributes.ts';
import { anyArray, readShape } from './read-shape.ts';
import { readServiceName } from './service-name.ts';
import { readLinkIds, readParentSpanId, readSpanId, readTraceId, type UnreadLink } from './span-id.ts';
import { withLinks } from './with-links.ts';

type Document = Readonly<Record<string, unknown>>;

/** A store that keeps each span as a document with its resource. */
interface DocumentStore {
  /** A document with all these fields is a span of this store. */
  readonly fields: readonly string[];
  readonly decode: (document: Document) => Span;
}

const text = z.string().nullish();
const integer = z.union([z.number(), z.string()]);
const attributesShape = z.object({ attributes: z.unknown().optional() });
const scope = z.object({ name: text }).nullish();

const identity = {
  ...{ traceId: z.string(), spanId: z.string(), parentSpanId: text, traceState: text },
  ...{ flags: integer.nullish(), name: text, kind: z.string(), links: anyArray.nullish() },
};
const nested = {
  ...{ attributes: z.unknown().optional(), resource: attributesShape, scope },
  status: z.object({ code: text, message: text }).nullish(),
};

/** Source: opentelemetry-collector-contrib, `exporter/elasticsearchexporter`, mapping mode `otel`. Absent fields are empty. */
const elasticShape = z.object({
  ...{ trace_id: z.string(), span_id: z.string(), parent_span_id: text, trace_state: text },
  ...{ name: text, kind: z.string(), '@timestamp': integer, duration: integer, links: anyArray.nullish() },
  ...nested,
});

/** Source: Amazon CloudWatch, Transaction Search, the log group `aws/spans`. */
const cloudWatchShape = z.object({
  ...identity,
  ...{ startTimeUnixNano: integer, endTimeUnixNano: integer },
  ...nested,
});

/**
 * Source: OpenSearch Data Prepper, `otel-v1-apm-span-index-template`; for `output_format: otel`, where names with dots become nested
 * objects, `otel-v1-apm-span-index-standard-template`.
 */
const dataPrepperShape = z.object({
  ...identity,
  ...{ startTime: z.string(), endTime: z.string(), serviceName: text },
  ...{ 'status.code': z.number().nullish(), 'status.message': text },
  ...{ 'instrumentationScope.name': text, 'instrumentationLibrary.name': text },
  ...{ attributes: z.unknown().optional(), resource: attributesShape.nullish(), instrumentationScope: scope },
  status: z.object({ code: z.number().nullish(), message: text }).nullish(),
});

const stores: readonly DocumentStore[] = [
  { fields: ['trace_id', 'span_id', '@timestamp', 'duration', 'kind', 'resource'], decode: decodeElastic },
  { fields: ['traceId', 'spanId', 'startTimeUnixNano', 'kind', 'resource'], decode: decodeCloudWatch },
  {
    fields: ['traceId', 'spanId', 'parentSpanId', 'startTime', 'endTime', 'durationInNanos', 'kind'],
    decode: decodeDataPrepper,
  },
];

/** Whether an object is a span that `decodeSpanDocument` reads. */
export function isSpanDocument(document: Document): boolean {
  return findStore(document) !== undefined;
}

/**
 * Decodes a span that a store keeps as one document: Elasticsearch (`traces-*.otel-*`), OpenSearch Data Prepper (`otel-v1-apm-span-*`),
 * CloudWatch (`aws/spans`). `flags` are null where the store does not keep them.
 * @throws {DecodeError} with the path of the wrong value.
 */
export function decodeSpanDocument(document: Document): Span {
  const store = findStore(document);
  if (store === undefined) throw new DecodeError('document: not a span with its resource');
  return store.decode(document);
}

function findStore(document: Document): DocumentStore | undefined {
  return stores.find(({ fields }) => fields.every((field) => Object.hasOwn(document, field)));
}

function decodeElastic(document: Document): Span {
  const shape = readShape(elasticShape, document);
  const start = readTimestamp(shape['@timestamp']);
  const span = {
    traceId: readTraceId(shape.trace_id, 'trace_id', 'hex'),
    spanId: readSpanId(shape.span_id, 'span_id', 'hex'),
    parentSpanId: readParentSpanId(shape.parent_span_id, 'parent_span_id', 'hex'),
    traceState: shape.trace_state ?? '',
    flags: null,
    name: shape.name ?? '',
    kind: readKindName(shape.kind, 'kind'),
    startTimeUnixNano: start,
    endTimeUnixNano: start + readUint64(shape.duration, 'duration'),
    ...readNested(shape),
  };
  return withLinks(span, shape.links ?? [], 'links', (link) => readLink(link, 'trace_id', 'span_id'));
}

function decodeCloudWatch(document: Document): Span {
  const shape = readShape(cloudWatchShape, document);
  const span = {
    ...readIdentity(shape),
    startTimeUnixNano: readUint64(shape.startTimeUnixNano, 'startTimeUnixNano'),
    endTimeUnixNano: readUint64(shape.endTimeUnixNano, 'endTimeUnixNano'),
    ...readNested(shape),
  };
  return withLinks(span, shape.links ?? [], 'links', (link) => readLink(link));
}

function decodeDataPrepper(document: Document): Span {
  const shape = readShape(dataPrepperShape, document);
  const own = new Map([
    ...readPrefixed(document, 'resource.attributes.'),
    ...flattenAttributes(shape.resource?.attributes ?? {}, 'resource.attributes'),
  ]);
  const resource = own.has('service.name')
    ? own
    : new Map([['service.name', shape.serviceName ?? ''], ...own]);
  const span = {
    ...readIdentity(shape),
    startTimeUnixNano: readIsoTime(shape.startTime, 'startTime'),
    endTimeUnixNano: readIsoTime(shape.endTime, 'endTime'),
    attributes: new Map([
      ...readPrefixed(document, 'span.attributes.'),
      ...flattenAttributes(shape.attributes ?? {}, 'attributes'),
    ]),
    status: {
      code: toStatusCode(shape['status.code'] ?? shape.status?.code ?? 0),
      message: shape['status.message'] ?? shape.status?.message ?? '',
    },
    serviceName: readServiceName(resource),
    resource,
    scopeName:
      shape.instrumentationScope?.name ??
      shape['instrumentationScope.name'] ??
      shape['instrumentationLibrary.name'] ??
      '',
  };
  return withLinks(span, shape.links ?? [], 'links', (link) => readLink(link));
}

/** Reads the fields that CloudWatch and Data Prepper have in common. */
function readIdentity(shape: z.infer<z.ZodObject<typeof identity>>) {
  return {
    traceId: readTraceId(shape.traceId, 'traceId', 'hex'),
    spanId: readSpanId(shape.spanId, 'spanId', 'hex'),
    parentSpanId: readParentSpanId(shape.parentSpanId, 'parentSpanId', 'hex'),
    traceState: shape.traceState ?? '',
    flags: readFlags(shape.flags),
    name: shape.name ?? '',
    kind: readKindName(shape.kind, 'kind'),
  };
}

/** Reads the fields that Elasticsearch and CloudWatch have in common. */
function readNested(shape: z.infer<z.ZodObject<typeof nested>>) {
  const resource = flattenAttributes(shape.resource.attributes ?? {}, 'resource.attributes');
  return {
    attributes: flattenAttributes(shape.attributes ?? {}, 'attributes'),
    status: {
      code: readStatusName(shape.status?.code ?? '', 'status.code'),
      message: shape.status?.message ?? '',
    },
    serviceName: readServiceName(resource),
    resource,
    scopeName: shape.scope?.name ?? '',
  };
}

/** Attributes are fields of the document: `span.attributes.http@route` is `http.route`. */
function readPrefixed(document: Document, prefix: string): Attributes {
  const entries = Object.entries(document).filter(([field]) => field.startsWith(prefix));
  return readPlainAttributes(
    Object.fromEntries(
      entries.map(([field, value]) => [field.slice(prefix.length).replaceAll('@', '.'), value]),
    ),
    prefix.slice(0, -1),
  );
}

/** The exporter writes milliseconds since the epoch with a fraction; Elasticsearch may return a date. */
const unixTime = /^(\d{12,14})(?:\.(\d{1,6}))?$/;

function readTimestamp(value: number | string): bigint {
  const [, milliseconds, fraction = ''] = unixTime.exec(String(value)) ?? [];
  if (milliseconds === undefined) return readIsoTime(value, '@timestamp');
  return BigInt(milliseconds + fraction.padEnd(6, '0'));
}

function readLink(link: unknown, traceIdName = 'traceId', spanIdName = 'spanId'): SpanLink | UnreadLink {
  const [traceId, spanId] = isObject(link) ? [link[traceIdName], link[spanIdName]] : [];
  if (typeof traceId !== 'string' || typeof spanId !== 'string')
    throw new DecodeError(`${traceIdName}: expected the ids of a span`);
  return readLinkIds(traceId, spanId, 'hex');
}
