import { inspect } from 'node:util';
import { crc32, deflateRawSync } from 'node:zlib';
import { encodeOtlpLines } from '../../src/span/encode-otlp-lines.ts';
import type { Attributes, Span, SpanKind } from '../../src/span/span.ts';

/** Writes the same spans in the format of each tool, as input for the decoders. Each writer follows the source that the decoder names. */
export type WriteFormat = (spans: readonly Span[]) => string | Uint8Array;

function otlpRequests(spans: readonly Span[]): readonly { readonly resourceSpans: readonly object[] }[] {
  return encodeOtlpLines(spans)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

function resourceSpans(spans: readonly Span[]): readonly object[] {
  return otlpRequests(spans).flatMap((request) => request.resourceSpans);
}

function lines(documents: readonly unknown[]): string {
  return documents.map((document) => `${JSON.stringify(document)}\n`).join('');
}

function pretty(documents: readonly unknown[]): string {
  return documents.map((document) => `${JSON.stringify(document, null, 4)}\n`).join('');
}

function toSnakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toSnakeCase);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [
      key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      toSnakeCase(entry),
    ]),
  );
}

function microseconds(nanoseconds: bigint): number {
  return Number(nanoseconds / 1_000n);
}

function plain(attributes: Attributes): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes);
}

/** A store without lists keeps them as JSON text. */
function scalar(value: unknown): unknown {
  return Array.isArray(value) ? JSON.stringify(value) : value;
}

function text(value: unknown): string {
  return String(scalar(value));
}

function byTrace(spans: readonly Span[]): readonly (readonly Span[])[] {
  return [...Map.groupBy(spans, (span) => span.traceId).values()];
}

function jaegerTags(attributes: Attributes): readonly object[] {
  return [...attributes].map(([key, value]) => {
    const type = typeof value === 'number' ? 'int64' : typeof value === 'boolean' ? 'bool' : 'string';
    return { key, type, value: scalar(value) };
  });
}

function jaegerSpan(span: Span): Readonly<Record<string, unknown>> {
  const { traceId: traceID, parentSpanId } = span;
  const parent = parentSpanId === null ? [] : [{ refType: 'CHILD_OF', traceID, spanID: parentSpanId }];
  const links = span.links.map((link) => ({
    refType: 'FOLLOWS_FROM',
    traceID: link.traceId,
    spanID: link.spanId,
  }));
  return {
    traceID,
    spanID: span.spanId,
    operationName: span.name,
    references: [...parent, ...links],
    startTime: microseconds(span.startTimeUnixNano),
    duration: microseconds(span.endTimeUnixNano - span.startTimeUnixNano),
    tags: jaegerTags(new Map([...span.attributes, ['span.kind', span.kind.toLowerCase()]])),
    logs: [],
    warnings: null,
  };
}

function jaegerTraces(spans: readonly Span[]): readonly object[] {
  return byTrace(spans).map((trace) => {
    const names = [...new Set(trace.map((span) => span.serviceName))];
    return {
      traceID: trace[0]?.traceId,
      spans: trace.map((span) => ({
        ...jaegerSpan(span),
        processID: `p${names.indexOf(span.serviceName) + 1}`,
      })),
      processes: Object.fromEntries(names.map((name, at) => [`p${at + 1}`, { serviceName: name, tags: [] }])),
      warnings: null,
    };
  });
}

function elasticsearchSource(span: Span): object {
  return { ...jaegerSpan(span), process: { serviceName: span.serviceName, tags: [] } };
}

/** Jaeger with `--es.tags-as-fields.all`, where every value is text. */
function elasticsearchFields(span: Span): object {
  const tags = [...span.attributes, ['span.kind', span.kind.toLowerCase()] as const];
  const tag = Object.fromEntries(tags.map(([key, value]) => [key.replaceAll('.', '@'), text(value)]));
  return {
    ...jaegerSpan(span),
    tags: [],
    tag,
    process: { serviceName: span.serviceName, tag: { 'host@name': 'a' } },
  };
}

function hit(source: object): object {
  return { _index: 'jaeger-span-2026-11-01', _id: 'x', _score: null, _source: source };
}

function zipkinSpan(span: Span): Readonly<Record<string, unknown>> {
  return {
    traceId: span.traceId,
    id: span.spanId,
    ...(span.parentSpanId === null ? {} : { parentId: span.parentSpanId }),
    ...(span.kind === 'INTERNAL' ? {} : { kind: span.kind }),
    name: span.name,
    timestamp: microseconds(span.startTimeUnixNano),
    duration: microseconds(span.endTimeUnixNano - span.startTimeUnixNano),
    localEndpoint: { serviceName: span.serviceName },
    tags: Object.fromEntries([...span.attributes].map(([key, value]) => [key, text(value)])),
  };
}

/** Like Brave: the server keeps the id of its client, and sets `shared`. */
function shareIds(spans: readonly Span[]): readonly Readonly<Record<string, unknown>>[] {
  const clients = new Map(spans.filter(({ kind }) => kind === 'CLIENT').map((span) => [span.spanId, span]));
  const isShared = (span: Span) => span.kind === 'SERVER' && clients.has(span.parentSpanId ?? '');
  const servers = new Map(spans.filter(isShared).map((span) => [span.spanId, span.parentSpanId]));
  return spans.map((span) => {
    const document = zipkinSpan(span);
    const parentId = servers.get(span.parentSpanId ?? '') ?? document.parentId;
    if (!isShared(span)) return { ...document, parentId };
    const client = clients.get(span.parentSpanId ?? '');
    return { ...document, id: client?.spanId, parentId: client?.parentSpanId ?? undefined, shared: true };
  });
}

const kinds: Readonly<Record<'js' | 'go', readonly SpanKind[]>> = {
  js: ['INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'],
  go: ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'],
};

function isRemote(span: Span): boolean {
  return ((span.flags ?? 0) & 0x200) !== 0;
}

function jsSpan(span: Span): Readonly<Record<string, unknown>> {
  return {
    resource: { attributes: plain(span.resource) },
    instrumentationScope: { name: span.scopeName, version: '1', schemaUrl: undefined },
    traceId: span.traceId,
    parentSpanContext:
      span.parentSpanId === null
        ? undefined
        : {
            traceId: span.traceId,
            spanId: span.parentSpanId,
            traceFlags: 1,
            traceState: undefined,
            ...(isRemote(span) ? { isRemote: true } : {}),
          },
    traceState: undefined,
    name: span.name,
    id: span.spanId,
    kind: kinds.js.indexOf(span.kind),
    timestamp: microseconds(span.startTimeUnixNano),
    duration: microseconds(span.endTimeUnixNano - span.startTimeUnixNano),
    attributes: plain(span.attributes),
    status: { code: 0 },
    events: [],
    links: span.links.map((context) => ({ context: { ...context, traceFlags: 1 }, attributes: {} })),
  };
}

/** SDK 1 prints only the parent's id. */
function oldJsSpan(span: Span): object {
  const { parentSpanContext: _, ...rest } = jsSpan(span);
  return { ...rest, parentId: span.parentSpanId ?? undefined };
}

/** Prints like `console.dir` with the depth that the exporter sets. */
function printJs(spans: readonly object[], colors = false): string {
  return spans.map((span) => `${inspect(span, { depth: 3, colors })}\n`).join('');
}

function pythonTime(nanoseconds: bigint): string {
  const [seconds] = new Date(Number(nanoseconds / 1_000_000n)).toISOString().split('.');
  return `${seconds}.${String((nanoseconds / 1_000n) % 1_000_000n).padStart(6, '0')}Z`;
}

function pythonContext(context: { readonly traceId: string; readonly spanId: string }): object {
  return { trace_id: `0x${context.traceId}`, span_id: `0x${context.spanId}`, trace_state: '[]' };
}

function pythonSpan(span: Span): object {
  return {
    name: span.name,
    context: pythonContext(span),
    kind: `SpanKind.${span.kind}`,
    parent_id: span.parentSpanId === null ? null : `0x${span.parentSpanId}`,
    start_time: pythonTime(span.startTimeUnixNano),
    end_time: pythonTime(span.endTimeUnixNano),
    status: { status_code: 'UNSET' },
    attributes: plain(span.attributes),
    events: [],
    links: span.links.map((link) => ({ context: pythonContext(link), attributes: {} })),
    resource: { attributes: plain(span.resource), schema_url: '' },
  };
}

/** An RFC 3339 time in a zone two hours ahead of UTC. */
function goTime(nanoseconds: bigint): string {
  const [seconds] = new Date(Number(nanoseconds / 1_000_000n) + 7_200_000).toISOString().split('.');
  return `${seconds}.${String(nanoseconds % 1_000_000_000n).padStart(9, '0')}+02:00`;
}

function goContext(traceId: string, spanId: string, flags: string, remote = false): object {
  return { TraceID: traceId, SpanID: spanId, TraceFlags: flags, TraceState: '', Remote: remote };
}

function goAttributes(attributes: Attributes): readonly object[] {
  return [...attributes].map(([key, value]) => ({ Key: key, Value: { Type: 'STRING', Value: value } }));
}

function goSpan(span: Span): object {
  const { traceId, parentSpanId } = span;
  return {
    Name: span.name,
    SpanContext: goContext(traceId, span.spanId, '01'),
    Parent:
      parentSpanId === null
        ? goContext('0'.repeat(32), '0'.repeat(16), '00')
        : goContext(traceId, parentSpanId, '01', isRemote(span)),
    SpanKind: kinds.go.indexOf(span.kind),
    StartTime: goTime(span.startTimeUnixNano),
    EndTime: goTime(span.endTimeUnixNano),
    Attributes: goAttributes(span.attributes),
    Events: null,
    Links: span.links.map((link) => ({ SpanContext: goContext(link.traceId, link.spanId, '01') })),
    Status: { Code: 'Unset', Description: '' },
    ChildSpanCount: 0,
    Resource: goAttributes(span.resource),
    InstrumentationScope: { Name: span.scopeName, Version: '', SchemaURL: '' },
  };
}

export function clickhouseRow(span: Span): object {
  const [date, time] = new Date(Number(span.startTimeUnixNano / 1_000_000n)).toISOString().split(/[T.]/);
  const strings = (attributes: Attributes) =>
    Object.fromEntries([...attributes].map(([key, value]) => [key, text(value)]));
  const kind = span.kind.charAt(0) + span.kind.slice(1).toLowerCase();
  return {
    Timestamp: `${date} ${time}.${String(span.startTimeUnixNano % 1_000_000_000n).padStart(9, '0')}`,
    TraceId: span.traceId,
    SpanId: span.spanId,
    ParentSpanId: span.parentSpanId ?? '',
    TraceState: '',
    SpanName: span.name,
    SpanKind: kind,
    ServiceName: span.serviceName,
    ResourceAttributes: strings(span.resource),
    ScopeName: span.scopeName,
    ScopeVersion: '',
    SpanAttributes: strings(span.attributes),
    Duration: String(span.endTimeUnixNano - span.startTimeUnixNano),
    StatusCode: 'Unset',
    StatusMessage: '',
    'Events.Timestamp': [],
    'Links.TraceId': span.links.map((link) => link.traceId),
    'Links.SpanId': span.links.map((link) => link.spanId),
  };
}

function nest(attributes: Attributes): object {
  return [...attributes].reduce<Record<string, unknown>>((all, [key, value]) => {
    const path = key.split('.');
    const last = path.pop() ?? '';
    let node = all;
    for (const part of path) {
      const next = node[part];
      const child: Record<string, unknown> = typeof next === 'object' && next !== null ? { ...next } : {};
      node[part] = child;
      node = child;
    }
    node[last] = value;
    return all;
  }, {});
}

/** The kinds of older exporters, and JSON columns. */
function clickhouseJsonRow(span: Span): object {
  return {
    ...clickhouseRow(span),
    SpanKind: `SPAN_KIND_${span.kind}`,
    StatusCode: 'STATUS_CODE_UNSET',
    SpanAttributes: nest(span.attributes),
  };
}

/** Like the Collector's exporter, which omits an absent parent. */
function elasticSpan(span: Span): object {
  const milliseconds = span.startTimeUnixNano / 1_000_000n;
  const rest = String(span.startTimeUnixNano % 1_000_000n).padStart(6, '0');
  return {
    '@timestamp': `${milliseconds}.${rest}`,
    data_stream: { type: 'traces', dataset: 'generic.otel', namespace: 'default' },
    ...{ trace_id: span.traceId, span_id: span.spanId, name: span.name },
    ...(span.parentSpanId === null ? {} : { parent_span_id: span.parentSpanId }),
    kind: span.kind.charAt(0) + span.kind.slice(1).toLowerCase(),
    duration: Number(span.endTimeUnixNano - span.startTimeUnixNano),
    attributes: plain(span.attributes),
    links: span.links.map(({ traceId, spanId }) => ({ trace_id: traceId, span_id: spanId })),
    status: { code: 'Unset' },
    resource: { attributes: plain(span.resource) },
    scope: { name: span.scopeName },
  };
}

/** Elasticsearch may return a date, and objects for names with dots. */
function elasticAnswer(span: Span): object {
  const date = new Date(Number(span.startTimeUnixNano / 1_000_000n)).toISOString().slice(0, 19);
  return {
    ...elasticSpan(span),
    '@timestamp': `${date}.${String(span.startTimeUnixNano % 1_000_000_000n).padStart(9, '0')}Z`,
    attributes: nest(span.attributes),
  };
}

/** CloudWatch writes times as numbers; `JSON.stringify` cannot write integers of this size exactly. */
function cloudWatchLine(span: Span): string {
  return JSON.stringify(cloudWatchSpan(span)).replace(/"(\w+TimeUnixNano)":"(\d+)"/g, '"$1":$2\n');
}

function cloudWatchSpan(span: Span): object {
  return {
    resource: { attributes: plain(span.resource) },
    scope: { name: span.scopeName, version: '' },
    ...{ traceId: span.traceId, spanId: span.spanId, parentSpanId: span.parentSpanId ?? undefined },
    ...{ flags: span.flags ?? 0, name: span.name, kind: span.kind },
    startTimeUnixNano: String(span.startTimeUnixNano),
    endTimeUnixNano: String(span.endTimeUnixNano),
    durationNano: Number(span.endTimeUnixNano - span.startTimeUnixNano),
    attributes: plain(span.attributes),
    links: span.links,
    status: { code: 'UNSET' },
  };
}

function dataPrepperSpan(span: Span): object {
  const time = (nanoseconds: bigint) =>
    `${new Date(Number(nanoseconds / 1_000_000n)).toISOString().slice(0, 19)}.${String(nanoseconds % 1_000_000_000n).padStart(9, '0')}Z`;
  const fields = (prefix: string, attributes: Attributes) =>
    Object.fromEntries(
      [...attributes].map(([key, value]) => [`${prefix}${key.replaceAll('.', '@')}`, scalar(value)]),
    );
  return {
    ...{ traceId: span.traceId, spanId: span.spanId, parentSpanId: span.parentSpanId ?? '', traceState: '' },
    ...{ name: span.name, kind: `SPAN_KIND_${span.kind}`, serviceName: span.serviceName, traceGroup: null },
    ...{ startTime: time(span.startTimeUnixNano), endTime: time(span.endTimeUnixNano) },
    durationInNanos: Number(span.endTimeUnixNano - span.startTimeUnixNano),
    ...{ links: span.links, events: [], droppedLinksCount: 0, 'status.code': 0 },
    ...fields('span.attributes.', span.attributes),
    ...fields('resource.attributes.', span.resource),
    'instrumentationScope.name': span.scopeName,
  };
}

/** Data Prepper with `output_format: otel`. */
function dataPrepperOtelSpan(span: Span): object {
  return {
    ...Object.fromEntries(
      Object.entries(dataPrepperSpan(span)).filter(([field]) => !/^serviceName$|\./.test(field)),
    ),
    ...{ attributes: plain(span.attributes), resource: { attributes: plain(span.resource), schemaUrl: '' } },
    ...{ instrumentationScope: { name: span.scopeName }, status: { code: 0, message: '' } },
    flags: span.flags ?? 0,
  };
}

function debugAttributes(attributes: Attributes): string {
  return [...attributes]
    .map(([key, value]) => {
      const type = Array.isArray(value) ? 'Slice' : typeof value === 'string' ? 'Str' : 'Int';
      return `     -> ${key}: ${type}(${text(value)})\n`;
    })
    .join('');
}

function dotnetSpan(span: Span): string {
  const time = `${new Date(Number(span.startTimeUnixNano / 1_000_000n)).toISOString().slice(0, 19)}.${String((span.startTimeUnixNano % 1_000_000_000n) / 100n).padStart(7, '0')}Z`;
  const duration = span.endTimeUnixNano - span.startTimeUnixNano;
  const fields = {
    ...{ TraceId: span.traceId, SpanId: span.spanId, TraceFlags: 'Recorded' },
    ...(span.parentSpanId === null ? {} : { ParentSpanId: span.parentSpanId }),
    ...{
      DisplayName: span.name,
      Kind: span.kind.charAt(0) + span.kind.slice(1).toLowerCase(),
      StartTime: time,
    },
    Duration: `00:00:00.${String(duration / 100n).padStart(7, '0')}`,
  };
  const entries = (attributes: Attributes) =>
    [...attributes].map(([key, value]) => `    ${key}: ${text(value)}\n`).join('');
  return [
    ...Object.entries(fields).map(([name, value]) => `${`Activity.${name}:`.padEnd(29)}${value}\n`),
    `Activity.Tags:\n    guid:x-request-id: a\n    empty: \n${entries(span.attributes)}`,
    'Activity.Events:\n    exception [11/01/2026 10:00:00 +00:00]\n        http.request.method: x\n',
    span.links.length === 0 ? '' : 'Activity.Links:\n',
    ...span.links.map(({ traceId, spanId }) => `    ${traceId} ${spanId}\n`),
    `Instrumentation scope (ActivitySource):\n    Name: ${span.scopeName}\n`,
    `Resource associated with Activity:\n${entries(span.resource)}\n`,
  ].join('');
}

/** Writes one message of the Collector's debug exporter for each span. */
function debugMessage(span: Span): string {
  const time = (nanoseconds: bigint) =>
    `${new Date(Number(nanoseconds / 1_000_000n)).toISOString().slice(0, 19).replace('T', ' ')}.${String(nanoseconds % 1_000_000_000n).padStart(9, '0')} +0000 UTC`;
  const fields = {
    'Trace ID': span.traceId,
    'Parent ID': span.parentSpanId ?? '',
    ID: span.spanId,
    Name: span.name,
    Kind: span.kind.charAt(0) + span.kind.slice(1).toLowerCase(),
    'Start time': time(span.startTimeUnixNano),
    'End time': time(span.endTimeUnixNano),
    'Status code': 'Unset',
    'Status message': '',
  };
  const links = span.links.map(
    ({ traceId, spanId }, at) =>
      `SpanLink #${at}\n     -> Trace ID: ${traceId}\n     -> ID: ${spanId}\n     -> TraceState: \n     -> DroppedAttributesCount: 0\n`,
  );
  return [
    '2026-11-01T10:00:00.000Z\tinfo\tTraces\t{"otelcol.component.id": "debug", "resource spans": 1, "spans": 1}\n',
    '2026-11-01T10:00:00.000Z\tinfo\tResourceSpans #0\nResource SchemaURL: \nResource attributes:\n',
    debugAttributes(span.resource),
    `ScopeSpans #0\nScopeSpans SchemaURL: \nInstrumentationScope ${span.scopeName} \nSpan #0\n`,
    ...Object.entries(fields).map(([name, value]) => `    ${name.padEnd(15)}: ${value}\n`),
    `Attributes:\n${debugAttributes(span.attributes)}`,
    'Events:\nSpanEvent #0\n     -> Name: e\n     -> Attributes::\n          -> http.request.method: Str(x)\n',
    links.length === 0 ? '' : `Links:\n${links.join('')}`,
    '\t{"otelcol.component.id": "debug", "otelcol.signal": "traces"}\n',
  ].join('');
}

export function zip(
  ...files: readonly (readonly [string, string | Uint8Array, ('stored' | 'deflated')?])[]
): Buffer {
  const entries: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content, method = 'deflated'] of files) {
    const bytes = Buffer.from(content);
    const packed = method === 'stored' ? bytes : deflateRawSync(bytes);
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(method === 'stored' ? 0 : 8, 4);
    shared.writeUInt32LE(crc32(bytes), 10);
    shared.writeUInt32LE(packed.length, 14);
    shared.writeUInt32LE(bytes.length, 18);
    shared.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), shared, Buffer.from(name), packed]);
    const end = Buffer.alloc(14);
    end.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03'), shared, end, Buffer.from(name)]));
    entries.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const tail = Buffer.alloc(22);
  tail.write('PK\x05\x06', 'latin1');
  tail.writeUInt16LE(files.length, 8);
  tail.writeUInt16LE(files.length, 10);
  tail.writeUInt32LE(central.length, 12);
  tail.writeUInt32LE(offset, 16);
  return Buffer.concat([...entries, central, tail]);
}

function prefixed(prefix: string, text: string): string {
  return text.replace(/^(?=.)/gm, prefix);
}

/** Alternates the lines of two containers, with names in colour. */
function asCompose(objects: readonly string[]): string {
  const [left = [], right = []] = [0, 1].map((half) =>
    objects
      .filter((_, at) => at % 2 === half)
      .join('')
      .split('\n'),
  );
  const turns = Array.from({ length: Math.max(left.length, right.length) }, (_, at) => [
    `\u001b[36mweb-1     | \u001b[0m${left[at] ?? ''}\n`,
    `\u001b[33morders-1  | \u001b[0m${right[at] ?? ''}\n`,
  ]);
  return `Attaching to orders-1, web-1\n${turns.flat().join('')}web-1 exited with code 0\n`;
}

/** Puts ordinary output of a program in front of every second object. */
function amongLog(objects: readonly string[]): string {
  return objects
    .map((object, at) => (at % 2 === 1 ? object : `INFO:     "GET /o" 200\n{not: [data}\n\n${object}`))
    .join('');
}

export interface WrittenFormat {
  readonly write: WriteFormat;
  /** The expected `Decoded.format`. */
  readonly format: string;
  /** The format keeps OTLP flags: the decoded spans are equal, not only the verdict. */
  readonly keepsFlags?: true;
  /** Zipkin has no links. */
  readonly losesLinks?: true;
}

export const writtenFormats: Readonly<Record<string, WrittenFormat>> = {
  'a list of OTLP resources': {
    format: 'otlp-json',
    keepsFlags: true,
    write: (spans) => JSON.stringify(resourceSpans(spans)),
  },
  'lines of OTLP resources, as otlp-stdout of Java': {
    format: 'otlp-json',
    keepsFlags: true,
    write: (spans) => lines(resourceSpans(spans)),
  },
  'otlp-stdout of Java, among a log': {
    format: 'otlp-json',
    keepsFlags: true,
    write: (spans) => amongLog(otlpRequests(spans).map((each) => `${JSON.stringify(each)}\n`)),
  },
  'lines of Zipkin traces, among a log': {
    format: 'zipkin',
    losesLinks: true,
    write: (spans) => amongLog(byTrace(spans).map((trace) => lines([trace.map(zipkinSpan)]))),
  },
  'lines of Jaeger traces, among a log': {
    format: 'jaeger-v1',
    write: (spans) => amongLog(jaegerTraces(spans).map((trace) => lines([trace]))),
  },
  'logging-otlp of Java': {
    format: 'otlp-json',
    keepsFlags: true,
    write: (spans) =>
      resourceSpans(spans)
        .map(
          (each) =>
            `Nov 01, 2026 10:00:00 AM io.opentelemetry.exporter.logging.otlp.OtlpJsonLoggingSpanExporter export\r\nINFO: ${JSON.stringify(each)}\r\n`,
        )
        .join(''),
  },
  'documents of OTLP one behind the other': {
    format: 'otlp-json',
    keepsFlags: true,
    write: (spans) => pretty(otlpRequests(spans)),
  },
  'documents of OTLP without a line break': {
    format: 'otlp-json',
    keepsFlags: true,
    write: (spans) =>
      otlpRequests(spans)
        .map((each) => JSON.stringify(each))
        .join(''),
  },
  'OTLP with the names of the .proto files': {
    format: 'json-lines',
    keepsFlags: true,
    write: (spans) => lines(otlpRequests(spans).map(toSnakeCase)),
  },
  'lines of OTLP resources with the names of the .proto files': {
    format: 'otlp-json',
    keepsFlags: true,
    write: (spans) => lines(resourceSpans(spans).map(toSnakeCase)),
  },
  'OTLP JSON Lines in UTF-16, as PowerShell redirects': {
    format: 'json-lines',
    keepsFlags: true,
    write: (spans) => Buffer.from(`\ufeff${encodeOtlpLines(spans).replaceAll('\n', '\r\n')}`, 'utf16le'),
  },
  'OTLP JSON Lines in UTF-16, big-endian': {
    format: 'json-lines',
    keepsFlags: true,
    write: (spans) => Buffer.from(`\ufeff${encodeOtlpLines(spans)}`, 'utf16le').swap16(),
  },
  'OTLP JSON Lines with a byte order mark and CRLF': {
    format: 'json-lines',
    keepsFlags: true,
    write: (spans) => `\ufeff${encodeOtlpLines(spans).replaceAll('\n', '\r\n')}`,
  },
  "Grafana's trace download": {
    format: 'tempo',
    keepsFlags: true,
    write: (spans) => JSON.stringify({ batches: resourceSpans(spans) }, null, 2),
  },
  'a zip of OTLP files among logs, as Aspire exports': {
    format: 'otlp-json',
    keepsFlags: true,
    write: (spans) =>
      zip(
        ['traces/', '', 'stored'],
        ...otlpRequests(spans).map(
          (each, at) =>
            [`traces/${at}.json`, JSON.stringify(each), at % 2 === 0 ? 'stored' : 'deflated'] as const,
        ),
        ['consolelogs/web.txt', 'listening on 8080\n'],
        ['structuredlogs/web.json', '{"resourceLogs":[]}'],
      ),
  },
  'an answer of Jaeger': {
    format: 'jaeger-v1',
    write: (spans) => JSON.stringify({ data: jaegerTraces(spans), total: 0, errors: null }),
  },
  'a list of Jaeger traces': {
    format: 'jaeger-v1',
    write: (spans) => JSON.stringify(jaegerTraces(spans), null, 1),
  },
  'lines of Jaeger traces': { format: 'jaeger-v1', write: (spans) => lines(jaegerTraces(spans)) },
  'an answer of Elasticsearch': {
    format: 'elasticsearch',
    write: (spans) =>
      JSON.stringify({
        took: 3,
        timed_out: false,
        hits: {
          total: { value: spans.length, relation: 'eq' },
          hits: spans.map((span) => hit(elasticsearchSource(span))),
        },
      }),
  },
  'a dump of Elasticsearch, tags as fields': {
    format: 'elasticsearch',
    write: (spans) =>
      lines([
        hit({ serviceName: 'web', operationName: 'GET' }),
        ...spans.map((span) => hit(elasticsearchFields(span))),
      ]),
  },
  'lines of Jaeger spans, each with its process': {
    format: 'jaeger-v1',
    write: (spans) => lines(spans.map(elasticsearchSource)),
  },
  'Zipkin v2': {
    format: 'zipkin',
    losesLinks: true,
    write: (spans) => JSON.stringify(spans.map(zipkinSpan)),
  },
  'lines of Zipkin traces': {
    format: 'zipkin',
    losesLinks: true,
    write: (spans) => lines(byTrace(spans).map((trace) => trace.map(zipkinSpan))),
  },
  'lines of Zipkin spans': {
    format: 'zipkin',
    losesLinks: true,
    write: (spans) => lines(spans.map(zipkinSpan)),
  },
  'console exporter of JavaScript': {
    format: 'js-console',
    keepsFlags: true,
    write: (spans) => printJs(spans.map(jsSpan)),
  },
  'console exporter of JavaScript, in colours and among a log': {
    format: 'js-console',
    keepsFlags: true,
    write: (spans) => `[10:00:00] listening\n${amongLog(spans.map((span) => printJs([jsSpan(span)], true)))}`,
  },
  'console exporter of JavaScript SDK 1': {
    format: 'js-console',
    write: (spans) => printJs(spans.map(oldJsSpan)),
  },
  'console exporter of Python': { format: 'python-console', write: (spans) => pretty(spans.map(pythonSpan)) },
  'console exporter of Python, among a log': {
    format: 'python-console',
    write: (spans) => amongLog(spans.map((span) => pretty([pythonSpan(span)]))),
  },
  'console exporter of Python, behind a structured log': {
    format: 'python-console',
    write: (spans) => `{"level":"info","msg":"listening"}\n${pretty(spans.map(pythonSpan))}`,
  },
  'stdouttrace of Go': { format: 'go-console', keepsFlags: true, write: (spans) => lines(spans.map(goSpan)) },
  'stdouttrace of Go, pretty and among a log': {
    format: 'go-console',
    keepsFlags: true,
    write: (spans) => amongLog(spans.map((span) => pretty([goSpan(span)]))),
  },
  'console exporter of .NET, among a log': {
    format: 'dotnet-console',
    write: (spans) =>
      spans.map((span) => `info: Microsoft.Hosting.Lifetime[14]\n      url: x\n${dotnetSpan(span)}`).join(''),
  },
  "the Collector's debug exporter": {
    format: 'collector-debug',
    write: (spans) => spans.map(debugMessage).join(''),
  },
  "the Collector's debug exporter, pasted without its indentation": {
    format: 'collector-debug',
    write: (spans) => spans.map(debugMessage).join('').replace(/^ +/gm, '').replace(/ +:/g, ' :'),
  },
  "the Collector's debug exporter, as docker compose logs shows it": {
    format: 'collector-debug',
    write: (spans) => prefixed('otel-1  | ', spans.map(debugMessage).join('')),
  },
  'console exporters of two programs, as docker compose up shows them': {
    format: 'js-console',
    write: (spans) => asCompose(spans.map((span) => printJs([jsSpan(span)], true))),
  },
  'console exporters of two programs, as docker compose logs --timestamps shows them': {
    format: 'js-console',
    write: (spans) =>
      asCompose(spans.map((span) => printJs([jsSpan(span)], true))).replaceAll(
        '| \u001b[0m',
        '| \u001b[0m2026-11-30T16:40:01.123456789Z ',
      ),
  },
  'console exporter of Python, as kubectl logs --prefix shows it': {
    format: 'python-console',
    write: (spans) => prefixed('[pod/web-5d/web] ', pretty(spans.map(pythonSpan))),
  },
  'rows of ClickHouse': { format: 'clickhouse', write: (spans) => lines(spans.map(clickhouseRow)) },
  'an answer of ClickHouse, with JSON columns': {
    format: 'clickhouse',
    write: (spans) =>
      JSON.stringify(
        {
          meta: [{ name: 'Timestamp', type: 'DateTime64(9)' }],
          data: spans.map(clickhouseJsonRow),
          rows: spans.length,
        },
        null,
        4,
      ),
  },
  'rows of ClickHouse without their names and types': {
    format: 'clickhouse',
    write: (spans) => JSON.stringify({ data: spans.map(clickhouseRow) }),
  },
  'an answer of Elasticsearch with spans of OpenTelemetry': {
    format: 'elasticsearch',
    write: (spans) =>
      JSON.stringify({ timed_out: false, hits: { hits: spans.map((span) => hit(elasticAnswer(span))) } }),
  },
  'lines of documents of Elasticsearch': {
    format: 'span-documents',
    write: (spans) => lines(spans.map(elasticSpan)),
  },
  'spans of CloudWatch': {
    format: 'span-documents',
    keepsFlags: true,
    write: (spans) => `[${spans.map(cloudWatchLine).join(',')}]`,
  },
  'an answer of OpenSearch with spans of Data Prepper': {
    format: 'elasticsearch',
    write: (spans) => JSON.stringify({ hits: { hits: spans.map((span) => hit(dataPrepperSpan(span))) } }),
  },
  'a list of spans of Data Prepper': {
    format: 'span-documents',
    write: (spans) => JSON.stringify(spans.map(dataPrepperSpan)),
  },
  'spans of Data Prepper with output_format otel': {
    format: 'span-documents',
    keepsFlags: true,
    write: (spans) => lines(spans.map(dataPrepperOtelSpan)),
  },
  'answers of Elasticsearch to several searches': {
    format: 'elasticsearch',
    write: (spans) => {
      const answers = spans.map((span) => ({ hits: { total: 1, hits: [hit(elasticsearchSource(span))] } }));
      return JSON.stringify({ took: 1, responses: answers });
    },
  },
};

/** Both sides of a call share one id, one span on each line: they must be joined across lines. */
export function writeSharedZipkin(spans: readonly Span[]): string {
  return lines(shareIds(spans));
}
