import * as z from 'zod';
import type { Span, SpanLink } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { DecodeError } from './decode-error.ts';
import { flattenAttributes } from './flatten-attributes.ts';
import { readIsoTime } from './iso-time.ts';
import { mapWithPath } from './map-with-path.ts';
import { readKindName, readStatusName, readUint64 } from './otlp-fields.ts';
import { isObject } from './otlp-json-value.ts';
import { anyArray, readShape } from './read-shape.ts';
import { readServiceName } from './service-name.ts';
import { readLinkIds, readParentSpanId, readSpanId, readTraceId, type UnreadLink } from './span-id.ts';
import { withLinks } from './with-links.ts';

const text = z.string().nullish();

const rowShape = z.object({
  Timestamp: z.string(),
  TraceId: z.string(),
  SpanId: z.string(),
  ParentSpanId: z.string(),
  TraceState: text,
  SpanName: text,
  SpanKind: z.string(),
  ServiceName: z.string(),
  ResourceAttributes: z.unknown().optional(),
  ScopeName: text,
  SpanAttributes: z.unknown().optional(),
  Duration: z.union([z.number(), z.string()]),
  StatusCode: text,
  StatusMessage: text,
  'Links.TraceId': anyArray.nullish(),
  'Links.SpanId': anyArray.nullish(),
});

type Row = Readonly<Record<string, unknown>>;

/** Whether an object is a row that `decodeClickhouseRow` reads. */
export function isClickhouseRow(document: Row): boolean {
  return Object.hasOwn(document, 'TraceId') && Object.hasOwn(document, 'SpanId');
}

/** Whether an object is an answer in ClickHouse's format JSON, with or without its `meta`. */
export function isClickhouseAnswer({ data, meta }: Row): boolean {
  if (!Array.isArray(data)) return false;
  const first: unknown = data[0];
  return Array.isArray(meta) || (isObject(first) && isClickhouseRow(first));
}

/**
 * Decodes ClickHouse's format JSON: `{"meta":[…],"data":[row, …],"rows":2}`.
 * @throws {DecodeError} with the path of the wrong value; also when a LIMIT left rows out, because missing spans would look like a
 *   service's fault.
 */
export function decodeClickhouseAnswer({
  data,
  rows,
  rows_before_limit_at_least: before,
}: Row): readonly Span[] {
  if (!Array.isArray(data)) throw new DecodeError('data: expected an array');
  if (typeof before === 'number' && before > data.length) {
    throw new DecodeError(
      `rows_before_limit_at_least: a LIMIT left ${data.length} of ${countOf(before, 'row')}; take whole traces, without a LIMIT`,
    );
  }
  if (typeof rows === 'number' && rows !== data.length) {
    throw new DecodeError(`rows: says ${rows}, but data has ${data.length}`);
  }
  return mapWithPath(data, 'data', decodeClickhouseRow);
}

/**
 * Decodes a row of `otel_traces`, the table of the Collector's ClickHouse exporter. `flags` are null, because the table has none;
 * values of attributes are strings, unless the table was made with JSON columns. Times without a zone are taken as UTC.
 *
 * Source: opentelemetry-collector-contrib, `exporter/clickhouseexporter`, `traces_table.sql` and `traces_json_table.sql`.
 * @throws {DecodeError} with the path of the wrong value.
 */
export function decodeClickhouseRow(value: unknown): Span {
  refuseMissingColumns(value);
  const row = readShape(rowShape, value);
  const own = flattenAttributes(row.ResourceAttributes ?? {}, 'ResourceAttributes');
  const resource = own.has('service.name') ? own : new Map([['service.name', row.ServiceName], ...own]);
  const start = readTime(row.Timestamp);
  const span = {
    traceId: readTraceId(row.TraceId, 'TraceId', 'hex'),
    spanId: readSpanId(row.SpanId, 'SpanId', 'hex'),
    parentSpanId: readParentSpanId(row.ParentSpanId, 'ParentSpanId', 'hex'),
    traceState: row.TraceState ?? '',
    flags: null,
    name: row.SpanName ?? '',
    kind: readKindName(row.SpanKind, 'SpanKind'),
    startTimeUnixNano: start,
    endTimeUnixNano: start + readUint64(row.Duration, 'Duration'),
    attributes: flattenAttributes(row.SpanAttributes, 'SpanAttributes'),
    status: { code: readStatusName(row.StatusCode ?? '', 'StatusCode'), message: row.StatusMessage ?? '' },
    serviceName: readServiceName(resource),
    resource,
    scopeName: row.ScopeName ?? '',
  };
  return withLinks(span, row['Links.TraceId'] ?? [], 'Links.SpanId', (traceId, index) =>
    readLink(traceId, row['Links.SpanId']?.[index]),
  );
}

/** Columns that every row must have. A query that lists columns easily omits one. */
const neededColumns = ['Timestamp', 'ParentSpanId', 'SpanKind', 'ServiceName', 'SpanAttributes', 'Duration'];

function refuseMissingColumns(value: unknown): void {
  if (Array.isArray(value)) {
    throw new DecodeError(': the columns have no names; ask ClickHouse for FORMAT JSONEachRow');
  }
  if (!isObject(value)) return;
  if (Array.isArray(value.TraceId) || typeof value.SpanAttributes === 'string') {
    throw new DecodeError('TraceId: columns or texts instead of rows; ask ClickHouse for FORMAT JSONEachRow');
  }
  const missing = neededColumns.filter((column) => !Object.hasOwn(value, column));
  if (missing.length === 0) return;
  throw new DecodeError(
    `${missing[0]}: the row of otel_traces lacks ${missing.join(', ')}; take all columns (SELECT * … FORMAT JSONEachRow)`,
  );
}

/** Seconds since the epoch: ClickHouse's `date_time_output_format=unix_timestamp`. */
const unixTime = /^(\d{9,11})(?:\.(\d{1,9}))?$/;

function readTime(value: string): bigint {
  const [, seconds, fraction = ''] = unixTime.exec(value) ?? [];
  if (seconds === undefined) return readIsoTime(value, 'Timestamp');
  return BigInt(seconds + fraction.padEnd(9, '0'));
}

function readLink(traceId: unknown, spanId: unknown): SpanLink | UnreadLink {
  if (typeof traceId !== 'string' || typeof spanId !== 'string')
    throw new DecodeError(': expected a span id for each trace id');
  return readLinkIds(traceId, spanId, 'hex');
}
