import { type MaybeShared, separateSharedSpans } from '../span/shared-span-ids.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import type { OtherSignal } from './other-signals.ts';
import { refuseWithoutParents } from './refuse-without-parents.ts';

/** A format of files, recognised by content. */
export type Format =
  | 'otlp-json'
  | 'json-lines'
  | 'otlp-protobuf'
  | 'jaeger-v1'
  | 'jaeger-v3'
  | 'tempo'
  | 'zipkin'
  | 'elasticsearch'
  | 'span-documents'
  | 'clickhouse'
  | 'js-console'
  | 'python-console'
  | 'go-console'
  | 'dotnet-console'
  | 'collector-debug'
  | 'mixed';

/** Spans, and the format that they were read from. */
export interface Decoded {
  readonly format: Format;
  readonly spans: readonly Span[];
  /** Notes on the data beside its spans, one line each: several formats, lines that hold no span. */
  readonly notes?: readonly string[];
  /** The other OTLP signals in data without spans, as far as its beginning shows. */
  readonly otherSignals?: readonly OtherSignal[];
}

/**
 * The spans of one document. Zipkin spans of all documents are joined before they are used, because both sides of a call may share one
 * span id.
 */
export type Reading =
  | { readonly format: Exclude<Format, 'zipkin'>; readonly spans: readonly Span[] }
  | { readonly format: 'zipkin'; readonly spans: readonly MaybeShared[] };

/** The names of the formats in messages. */
export const formatLabels: Readonly<Record<Format, string>> = {
  'otlp-json': 'OTLP JSON',
  'json-lines': 'OTLP JSON Lines',
  'otlp-protobuf': 'OTLP protobuf',
  'jaeger-v1': 'Jaeger JSON',
  'jaeger-v3': 'Jaeger JSON (API v3)',
  tempo: 'Tempo JSON',
  zipkin: 'Zipkin v2 JSON',
  elasticsearch: 'Elasticsearch or OpenSearch',
  'span-documents': 'documents of spans',
  clickhouse: 'ClickHouse rows',
  'js-console': 'JavaScript console exporter',
  'python-console': 'Python console exporter',
  'go-console': 'Go stdouttrace',
  'dotnet-console': '.NET console exporter',
  'collector-debug': "the Collector's debug exporter",
  mixed: 'several formats',
};

/** Formats of stores whose queries name the fields to return, and can leave out the parent. */
const queried: ReadonlySet<Format> = new Set(['elasticsearch', 'span-documents', 'jaeger-v1']);

/**
 * Joins the spans of several documents in their order, with Zipkin spans last, and notes a mix of formats.
 * @throws {DecodeError} when a query left out the parents of spans.
 */
export function joinReadings(readings: readonly Reading[], otherNotes: readonly string[] = []): Decoded {
  const spans: Span[] = [];
  const ofZipkin: MaybeShared[] = [];
  const counts = new Map<Format, number>();
  for (const reading of readings) {
    if (reading.spans.length > 0) {
      counts.set(reading.format, (counts.get(reading.format) ?? 0) + reading.spans.length);
    }
    if (reading.format === 'zipkin') for (const span of reading.spans) ofZipkin.push(span);
    else for (const span of reading.spans) spans.push(span);
  }
  for (const span of separateSharedSpans(ofZipkin)) spans.push(span);
  if ([...counts.keys()].every((each) => queried.has(each))) refuseWithoutParents(spans);
  const [format = readings[0]?.format ?? 'otlp-json', ...others] = counts.keys();
  const parts = [...counts]
    .map(([each, count]) => `${formatLabels[each]} (${countOf(count, 'span')})`)
    .join(', ');
  const notes = [...(others.length === 0 ? [] : [`it mixes formats: ${parts}`]), ...otherNotes];
  return { format: others.length === 0 ? format : 'mixed', spans, ...(notes.length === 0 ? {} : { notes }) };
}
