import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { decodeBytes } from '../../src/decode/detect-format.ts';
import { debugMessage } from './debug-message.ts';
import { otlpRequest, otlpSpan } from './fixture.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const request = JSON.stringify(otlpRequest(otlpSpan()));
const xraySegment = {
  id: '70de5b6f19ff9a0a',
  trace_id: '1-581cf771-a006649127e371903a2de979',
  name: 'web',
  start_time: 1.4e9,
};
const datadogSpan = {
  trace_id: 123_456_789,
  span_id: 42,
  parent_id: 0,
  service: 'web',
  resource: 'GET /o',
  name: 'web.request',
  meta: {},
};
const jaegerSpan = {
  traceID: traceId,
  spanID: 'b7ad6b7169203331',
  operationName: 'GET',
  startTime: 1,
  duration: 1,
  processID: 'p1',
};
const hit = { _index: 'jaeger-span-2026-11-01', _source: { ...jaegerSpan, process: { serviceName: 'web' } } };
const otelDocument = {
  ...{ trace_id: traceId, span_id: 'b7ad6b7169203331', '@timestamp': '1700000000000', duration: 1 },
  ...{ kind: 'Server', resource: { attributes: {} } },
};
const webDocument = { ...otelDocument, resource: { attributes: { 'service.name': 'web' } } };
const dotnetSpan = `Activity.TraceId:            ${traceId}
Activity.SpanId:             b7ad6b7169203331
Activity.Kind:               Server
Activity.StartTime:          2026-11-01T10:00:00.0000000Z
Activity.Duration:           00:00:00.0100000
Resource associated with Activity:
    service.name: web
`;
const row = {
  Timestamp: '2026-11-01 10:00:00.0',
  TraceId: traceId,
  SpanId: 'b7ad6b7169203331',
  SpanName: 'GET',
};
const span = (fields: object) => `{"resource":${JSON.stringify(fields)}`;

/** Each message names the content, and says how to get spans that can be read. */
const refused: Readonly<Record<string, readonly [string | Uint8Array | object, RegExp]>> = {
  'records of a tap': [
    '{"time":"2026-11-28T04:18:30.035Z","tap":"127.0.0.1:1","target":"http://127.0.0.1:2","sent":{},"received":null}\n'.repeat(
      2,
    ),
    /^line 1: tap: these are records of propagation-check tap.*--wire FILE/,
  ],
  'one record of a tap': [{ tap: 'a', target: 'b', sent: {}, received: null }, /^tap: .*--wire FILE/],
  'a report of this tool': [
    JSON.stringify({ version: 1, verdict: 'intact', traces: 1, spans: 1, edges: [], findings: [] }, null, 2),
    /^version: this is a report of propagation-check, and no spans/,
  ],
  'a report of audit': [{ kind: 'audit', version: 1, outcome: 'passed', window: {} }, /^version: .*audit/],
  'a report of doctor': [{ version: 1, verdict: 'clean', checks: 1, accepted: 0, findings: [] }, /doctor/],
  'the state of audit': [{ kind: 'audit-state', version: 1, at: '', edges: [] }, /^kind: .*--state/],
  'a snapshot of the sink': [
    { version: 1, savedAt: '', totals: {}, exports: {}, lost: 0, edges: [] },
    /^savedAt: this is the state of propagation-check sink/,
  ],
  'a baseline': ['# known\n\nknown:\n  - client: a\n', /^byte 0: this is a baseline .*--baseline FILE/],
  'an empty baseline': ['known: []\n', /^byte 0: this is a baseline/],
  'a baseline in JSON': [{ known: [] }, /^known: this is a baseline/],
  expectations: ['edges:\n  must: [a -> b]\n', /^byte 0: this is an expectations file/],
  'a configuration': ['source: jaeger=http://a\n', /^byte 0: this is a configuration .*--config FILE/],
  'segments of X-Ray': [
    { Traces: [{ Id: '1', Segments: [{ Id: 'a', Document: '{}' }] }] },
    /^Segments: .*AWS X-Ray.*awsxray.*file exporter/,
  ],
  'one segment of X-Ray': [xraySegment, /^Segments: .*AWS X-Ray/],
  'lines of segments of X-Ray': [
    `${JSON.stringify(xraySegment)}\n${JSON.stringify(xraySegment)}\n`,
    /^line 1: Segments: .*AWS X-Ray/,
  ],
  'an answer of X-Ray without traces': [{ Traces: [], UnprocessedTraceIds: [] }, /^Segments: .*AWS X-Ray/],
  'summaries of X-Ray': [{ TraceSummaries: [] }, /^Segments: .*AWS X-Ray/],
  'spans of Datadog': [
    [[datadogSpan]],
    /^\[0\]\[0\]\.trace_id: .*Datadog.*datadog or otlp receiver.*file exporter/,
  ],
  'an answer of Datadog': [{ data: [{ type: 'spans', attributes: { trace_id: '1' } }] }, /^data: .*Datadog/],
  'a download of Datadog': [{ trace: { root_id: '1', spans: {} }, orphaned: [] }, /^trace: .*Datadog/],
  "Tempo's search": [
    { traces: [{ traceID: traceId, rootServiceName: 'web' }], metrics: {} },
    /^traces: .*search.*\/api\/traces\/TRACE_ID/,
  ],
  "Tempo's search, without names": [{ traces: [{ traceID: traceId }], metrics: {} }, /^traces: .*search/],
  'spans without their resource': [[otlpSpan()], /^\[0\]\.resource: .*without their resource.*whole export/],
  'spans of a scope': [{ scope: { name: 'x' }, spans: [otlpSpan()] }, /^resource: .*without their resource/],
  "Go's encoding/json": [
    {
      resource_spans: [{ resource: { attributes: [{ key: 'a', value: { Value: { StringValue: 'b' } } }] } }],
    },
    /^resource_spans: .*encoding\/json.*protojson/,
  ],
  "Jaeger's services": [{ data: ['web', 'orders'], total: 2 }, /^data: .*list of names.*\/api\/traces/],
  "Jaeger's dependencies": [{ data: [{ parent: 'a', child: 'b', callCount: 3 }] }, /^data: .*dependencies/],
  "Jaeger's spans without processes": [[jaegerSpan], /^\[0\]\.process: missing, .*\/api\/traces\/TRACE_ID/],
  'an error of Jaeger': [
    { data: null, errors: [{ code: 404, msg: 'trace not found' }] },
    /^data: .*"trace not found"/,
  ],
  'an error of a server': [
    { code: 5, message: 'trace not found', details: [] },
    /^message: .*an error that a server answered/,
  ],
  'a part of a search in Elasticsearch': [
    { hits: { total: { value: 2431, relation: 'eq' }, hits: [hit] } },
    /^hits\.total: .*found 2431 documents and answered 1; ask with "size"/,
  ],
  'a part of a search in an older Elasticsearch': [{ hits: { total: 2, hits: [hit] } }, /^hits\.total: /],
  'a search whose shards failed': [
    { _shards: { failed: 1 }, hits: { total: 1, hits: [hit] } },
    /^hits: .*only a part/,
  ],
  'other documents of Elasticsearch': [
    { _index: 'traces', _source: { '@timestamp': 1, trace_id: traceId } },
    /^_source: expected a span .*otel.*"@timestamp".*as OTLP/,
  ],
  'a wrong span in Elasticsearch': [
    { hits: { total: 1, hits: [{ _source: { ...hit._source, spanID: 'x' } }] } },
    /^hits\.hits\[0\]\._source\.spanID: "x"/,
  ],
  'a part of the columns of ClickHouse': [
    row,
    /^ParentSpanId: .*lacks ParentSpanId, SpanKind, ServiceName, SpanAttributes, Duration; take all columns \(SELECT \*/,
  ],
  'rows of ClickHouse up to a limit': [
    { meta: [], data: [], rows: 0, rows_before_limit_at_least: 9 },
    /^rows_before_limit_at_least: .*0 of 9 rows.*without a LIMIT/,
  ],
  'rows of ClickHouse without names': [
    { meta: [{ name: 'TraceId' }], data: [['a']], rows: 1 },
    /^data\[0\]: the columns have no names.*JSONEachRow/,
  ],
  'columns of ClickHouse': [{ TraceId: [traceId], SpanId: ['a'] }, /^TraceId: .*JSONEachRow/],
  'texts of ClickHouse': [{ ...row, SpanAttributes: "{'a':'b'}" }, /^TraceId: .*JSONEachRow/],
  "ClickHouse's format Vertical": [
    'Row 1:\n──────\nTimestamp: 2026\nTraceId: a\n',
    /^byte 0: .*Vertical; .*JSONEachRow/,
  ],
  "ClickHouse's rows without names, one a line": [
    '["Timestamp","TraceId","SpanKind"]\n["2026","a","Client"]\n',
    /^byte 0: .*no names; .*JSONEachRow/,
  ],
  'a table with quotes': ['"Timestamp","TraceId","SpanKind"\n"2026","a","Client"\n', /^byte 0: .*a table/],
  'Google Cloud Trace': [{ projectId: 'p', traceId, spans: [] }, /^spans: .*Google Cloud Trace/],
  Sentry: [{ event_id: 'a', contexts: { trace: {} } }, /^event_id: .*Sentry/],
  'Application Insights': [
    { operation_Id: 'a', itemType: 'request' },
    /^operation_Id: .*Application Insights/,
  ],
  'diagnostic settings of Azure': [
    { time: '2026-11-01T10:00:00Z', OperationId: 'a', Id: 'b', ParentId: 'c', Type: 'AppRequests' },
    /^operation_Id: .*Application Insights/,
  ],
  Honeycomb: [
    { 'trace.trace_id': 'a', 'trace.span_id': 'b', duration_ms: 1 },
    /^trace\.trace_id: .*Honeycomb/,
  ],
  'Elastic APM': [{ processor: { event: 'transaction' }, trace: { id: 'a' } }, /^processor: .*Elastic APM/],
  SkyWalking: [{ data: { trace: { spans: [] } } }, /^data\.trace: .*SkyWalking/],
  'a search of Honeycomb': [{ data: { results: [], series: [] } }, /^trace\.trace_id: .*Honeycomb/],
  'a batch of Honeycomb': [[{ time: 1, data: { 'trace.trace_id': 'a' } }], /^\[0\].*Honeycomb/],
  'rows of Dynatrace': [{ result: { records: [{ 'trace.id': 'a' }] } }, /^trace\.id: .*Dynatrace/],
  'events of New Relic': [{ results: [{ events: [{ 'trace.id': 'a' }] }] }, /^trace\.id: .*New Relic/],
  'an answer of New Relic': [{ data: { actor: {} } }, /^data: .*New Relic/],
  'tables of Azure Monitor': [{ tables: [{ columns: [], rows: [] }] }, /^operation_Id: .*Azure/],
  'envelopes of Sentry': ['{"event_id":"a","sent_at":"2026"}\n{"type":"transaction"}\n', /^line 1: .*Sentry/],
  'Elastic APM in an answer to a search': [
    {
      hits: { hits: [{ _source: { processor: { event: 'span' }, trace: { id: 'a' }, span: { id: 'b' } } }] },
    },
    /^hits\.hits\[0\]\._source\.processor: this is a document of Elastic APM; export the same spans as OTLP/,
  ],
  'Elastic APM in a dump': [
    { _source: { processor: { event: 'transaction' }, trace: { id: 'a' } } },
    /^_source\.processor: .*Elastic APM/,
  ],
  'documents of Elasticsearch without the field of the parent': [
    {
      hits: {
        hits: [webDocument, { ...webDocument, span_id: 'c1'.repeat(8), kind: 'Client' }].map((_source) => ({
          _source,
        })),
      },
    },
    /^document: no span has a parent, although "web" made SERVER and CLIENT spans of one trace: .*parent_span_id.*without a filter on _source/,
  ],
  'spans of Jaeger in Elasticsearch without their references': [
    [
      hit,
      { _source: { ...hit._source, spanID: 'c1'.repeat(8), tags: [{ key: 'span.kind', value: 'client' }] } },
    ],
    /^document: no span has a parent, although "web" made .*references/,
  ],
  'what agents of Elastic APM send': [
    '{"metadata":{"service":{"name":"web"}}}\n{"span":{}}\n',
    /^line 1: metadata: .*Elastic APM/,
  ],
  'segments of SkyWalking': [[{ traceId: 'a', traceSegmentId: 'b', spans: [] }], /^\[0\].*SkyWalking/],
  'spans of SkyWalking': [{ spans: [{ traceId: 'a', segmentId: 'b', spanId: 0 }] }, /SkyWalking/],
  'Google Cloud Trace, version 2': [
    { spans: [{ spanId: 'a', displayName: { value: 'GET' } }] },
    /^spanId: .*Google Cloud Trace/,
  ],
  'entries of Google Cloud Logging': [
    [{ insertId: 'a', logName: 'b', trace: 'projects/p/traces/c' }],
    /^\[0\]\.insertId: .*Google Cloud Logging/,
  ],
  'spans of OpenSearch Data Prepper': [
    { traceId, spanId: 'b7ad6b7169203331', traceGroup: 'GET' },
    /^durationInNanos: .*Data Prepper/,
  ],
  'spans of CloudWatch': [
    { resource: { attributes: {} }, traceId, spanId: 'b7ad6b7169203331' },
    /^resource: .*CloudWatch/,
  ],
  'spans of CloudWatch as its API answers them': [
    {
      events: [
        { message: JSON.stringify({ resource: {}, spanId: 'a', startTimeUnixNano: 1 }), eventId: '3' },
      ],
    },
    /^events\[0\]\.message: .*as text.*jq -r '\.events\[\]\.message'\)$/,
  ],
  'an answer of CloudWatch Logs Insights': [
    {
      results: [
        [
          { field: '@timestamp', value: 'a' },
          { field: '@message', value: '{}' },
        ],
      ],
      statistics: {},
    },
    /^results: .*Insights.*jq -r '\.results\[\]\[\] \| select\(\.field == "@message"\)\.value'/,
  ],
  'no end in a span of CloudWatch': [
    {
      ...{ traceId, spanId: 'b7ad6b7169203331', startTimeUnixNano: 1, kind: 'SERVER' },
      resource: { attributes: {} },
    },
    /^endTimeUnixNano: expected number or string, received undefined$/,
  ],
  'a wrong kind in a document of Elasticsearch': [
    { ...otelDocument, kind: 'Some' },
    /^kind: "Some" is not a kind of span/,
  ],
  'a wrong time in a document of Elasticsearch': [
    { _source: { ...otelDocument, '@timestamp': 'soon' } },
    /^_source\.@timestamp: "soon" is not a time/,
  ],
  'a wrong link in a document of Elasticsearch': [
    { ...otelDocument, links: [{ trace_id: traceId }] },
    /^links\[0\]\.trace_id: expected the ids of a span/,
  ],
  'spans of Phoenix': [
    {
      name: 'llm',
      context: { trace_id: traceId, span_id: 'a' },
      span_kind: 'LLM',
      parent_id: null,
      events: [],
    },
    /^context: these are spans of a tool for language models .*leave out services/,
  ],
  "Phoenix's answer": [
    { data: [{ context: { trace_id: traceId }, span_kind: 'LLM' }], next_cursor: null },
    /^data: .*language models/,
  ],
  'a trace of Langfuse': [
    { id: 'a', name: 'b', observations: [{ id: 'c' }] },
    /^observations: .*language models/,
  ],
  'observations of Langfuse': [
    { data: [{ id: 'c', traceId: 'a', parentObservationId: null }], meta: {} },
    /^data: .*language models/,
  ],
  'runs of LangSmith': [
    [{ id: 'a', run_type: 'chain', parent_run_id: null }],
    /^\[0\]\.run_type: .*language models/,
  ],
  'a body in a record': [{ path: '/v1/traces', body: JSON.parse(request) }, /^body: .*jq -c '\.body'\)$/],
  'a body as text': [{ body: request }, /^body: .*as text.*jq -r '\.body'\)$/],
  'a payload of a queue': [
    { records: [{ data: Buffer.from(request).toString('base64') }] },
    /^records\[0\]\.data: .*base64.*jq -r '\.records\[\]\.data' \| base64 -d\)$/,
  ],
  'a payload in gzip': [
    { data: gzipSync(request).toString('base64') },
    /^data: .*base64 and gzip.*\| base64 -d \| gunzip\)$/,
  ],
  'traces by their ids': [{ [traceId]: JSON.parse(request) }, /^\[\]: .*jq -c '\.\[\]'\)$/],
  "Jaeger's answer to a search, version 3": [
    { summaries: [{ traceId, rootServiceName: 'web', spanCount: 2, services: [] }] },
    /^summaries: this is Jaeger's answer to a search.*\/api\/v3\/traces\/TRACE_ID/,
  ],
  "Jaeger's spans of a search, version 3": [
    { spans: otlpRequest(otlpSpan()) },
    /^spans: .*without the others of their traces.*\/api\/v3\/traces\/TRACE_ID/,
  ],
  "Jaeger's services, version 3": [{ services: ['web'] }, /^services: this is a list of names/],
  "Jaeger's operations, version 3": [
    { operations: [{ name: 'GET /', spanKind: 'server' }] },
    /^operations: this is a list of names/,
  ],
  'an answer of Jaeger within a field': [
    { answer: { data: [{ traceID: traceId, spans: [jaegerSpan], processes: {} }], total: 0 } },
    /^answer: the spans are within this field; take them out \(jq -c '\.answer'\)$/,
  ],
  'an answer of Jaeger, version 3, within a field': [
    { body: { result: otlpRequest(otlpSpan()) } },
    /^body: the spans are within this field; take them out \(jq -c '\.body'\)$/,
  ],
  'a list of records of a log with spans': [
    [{ text: request }],
    /^\[0\]\.text: the spans are within this field, as text; take them out \(jq -r '\.\[\]\.text'\)$/,
  ],
  'records of records of a log with spans': [
    [[{ line: request }]],
    /^\[0\]\[0\]\.line: .* \(jq -r '\.\[\]\[\]\.line'\)$/,
  ],
  "lines of a log that Grafana's Explore downloads": [
    [{ line: '{', timestamp: '1', date: '2026-11-01T10:00:00Z', fields: { app: 'a' } }],
    /^\[0\]\.line: these are lines from Loki.*jq -r '\.\[\]\.line'/,
  ],
  "Loki's answer to a query": [
    {
      status: 'success',
      data: { resultType: 'streams', result: [{ stream: {}, values: [['1', request]] }] },
    },
    /^data: these are lines from Loki.*jq -r '\.data\.result\[\]\.values\[\]\[1\]'/,
  ],
  "the Collector's debug exporter in a log in JSON": [
    '{"level":"info","ts":"x","msg":"Setting up"}\n{"level":"info","ts":"x","msg":"ResourceSpans #0\\nSpan #0"}\n',
    /^byte 0: this is the Collector's debug exporter in a log in JSON.*jq -r \.msg/,
  ],
  'a list of traces': [
    { traces: [{ traceID: traceId, batches: [] }] },
    /^traces\[0\]: .*jq -c '\.traces\[\]'\)$/,
  ],
  'an answer of Aspire': [{ data: JSON.parse(request), totalCount: 1 }, /^data: .*jq -c '\.data'\)$/],
  'rows in snake case': [{ trace_id: traceId, span_id: 'a', kind_string: 'Client' }, /^traceID: .*SigNoz/],
  "events of Splunk's collector": [
    { event: { trace_id: traceId, span_id: 'a' }, sourcetype: 'otel' },
    /^traceID: .*Splunk/,
  ],
  'an answer in rows': [{ num_hits: 1, hits: [{ id: 1 }] }, /^hits: .*answer of another tool.*OTLP/],
  'what an agent of Datadog takes': [{ traces: [[datadogSpan]] }, /^traces: .*Datadog/],
  "the header of X-Ray's daemon": [{ format: 'json', version: 1 }, /^format: .*AWS X-Ray/],
  'span objects of an SDK': [
    [{ _spanContext: { traceId, spanId: 'b7ad6b7169203331' }, startTime: [1, 0] }],
    /^\[0\]\._spanContext: .*ConsoleSpanExporter/,
  ],
  'chunks of Jaeger': [{ chunk: { spans: [] } }, /^spans: .*gRPC/],
  "Thrift's names of Zipkin v1": [
    [{ trace_id: 1, id: 2, name: 'get', annotations: [], binary_annotations: [] }],
    /^\[0\]\.binary_annotations: .*Zipkin v1/,
  ],
  'hits without documents': [
    { hits: { total: 1, hits: [{ _index: 'a', fields: {} }] } },
    /^hits\.hits\[0\]\._source: missing; ask for whole documents/,
  ],
  zstd: [Buffer.from('\x28\xb5\x2f\xfd\0', 'latin1'), /^byte 0: compressed with zstd; .*zstd -d/],
  'zstd of a Collector': [
    Buffer.from('\0\0\0\x09\x28\xb5\x2f\xfd\0', 'latin1'),
    /^byte 0: compressed with zstd message by message, .*Node\.js 22\.15 or later, or write the file without/,
  ],
  lz4: [Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x40]), /^byte 0: compressed with lz4/],
  'UTF-32': [Buffer.from([0xff, 0xfe, 0, 0, 0x7b, 0, 0, 0]), /^byte 0: text in UTF-32/],
  'random bytes that begin as a JSON text sequence': [
    Buffer.from([0x1e, 0x93, 0x02, 0xff, 0x7b]),
    /^byte 0: no format is recognised/,
  ],
  'random bytes that begin as zlib': [
    Buffer.from([0x78, 0x9c, 0xff, 0x02, 0xff, 0x7b]),
    /^byte 0: no format is recognised/,
  ],
  'random bytes that begin as bzip2': [
    Buffer.from([0x42, 0x5a, 0x68, 0x01]),
    /^byte 0: no format is recognised/,
  ],
  'a JSON text sequence': [`\u001e${request}\n`, /^byte 0: .*RFC 7464/],
  "Swift's stdout exporter": ['____\nSpan GET:\nTraceId: a\nSpanId: b\n', /^byte 0: .*Swift/],
  'a table in Markdown': ['| TraceId | SpanId |\n|---|---|\n| a | b |\n', /^byte 0: .*Markdown/],
  "SigNoz's rows": [{ traceID: traceId, spanID: 'a', serviceName: 'web' }, /^traceID: .*SigNoz/],
  "Splunk's rows": [
    [{ traceId, spanId: 'a', operationName: 'GET', serviceName: 'web' }],
    /^\[0\]\.traceID: .*another tool/,
  ],
  'messages of Kafka': [
    `${JSON.stringify({ topic: 'spans', partition: 0, value: request })}\n{}\n`,
    /^line 1: value: .*Kafka.*jq -r '\.value'/,
  ],
  "Jaeger's operations": [{ data: [{ name: 'GET', spanKind: 'server' }] }, /^data: .*operations/],
  'data of something else': [{ data: [{ id: 'a', type: 'SPAN' }] }, /^data: .*no traces of Jaeger/],
  'a result of something else': [{ result: { id: 1 } }, /^result: expected .*"resourceSpans", found "id"/],
  'a trace of something else': [{ trace: { id: 'a' }, root: {} }, /^trace: expected .*found "id"/],
  'a text as the trace': [{ trace: 'a' }, /^document: expected .*found "trace"/],
  "Zipkin's services": [['web', 'orders'], /^document: .*list of names/],
  "Zipkin's dependencies": [[{ parent: 'a', child: 'b', callCount: 1 }], /^\[0\]\.callCount: .*Zipkin/],
  "the Collector's debug exporter, as a JSON log": [
    { level: 'info', msg: 'ResourceSpans #0\nSpan #0' },
    /^msg: .*debug exporter in a log in JSON.*jq -r '\.msg'/,
  ],
  "the Collector's debug exporter, normal": [
    '2026-11-01\tinfo\tResourceTraces #0 service.name=web\nScopeTraces #0 x\n',
    /^byte 0: .*debug exporter/,
  ],
  'the exporter of C++': [
    '{\n  name          : GET\n  trace_id      : 0af7\n  span kind     : Server\n}\n',
    /^byte 0: .*C\+\+.*OTEL_TRACES_EXPORTER=otlp/,
  ],
  'the exporter of Erlang': ['*SPANS FOR DEBUG*\n{span,1,2}\n', /^byte 0: .*Erlang/],
  "protobuf's text": ['resource_spans {\n  resource {\n  }\n}\n', /^byte 0: .*text format/],
  'base64 of spans': [Buffer.from(request).toString('base64'), /^byte 0: .*base64 -d/],
  'hex digits of spans': [Buffer.from(request).toString('hex'), /^byte 0: .*xxd -r -p/],
  'spans in a string of JSON': [JSON.stringify(request), /^byte 0: .*jq -r \./],
  'a table of Azure': ['timestamp [UTC],id,operation_Id\n1,2,3\n', /^byte 0: .*a table/],
  'zlib of spans': [deflateSync(request), /^byte 0: .*zlib/],
  'a profile of Chrome': [{ traceEvents: [] }, /^traceEvents: .*no distributed trace/],
  'a HAR file': [{ log: { version: '1.2', entries: [] } }, /^log: .*HAR/],
  'a panel of Grafana': [
    [{ schema: { fields: [] }, data: { values: [] } }],
    /^\[0\]\.schema: .*Grafana.*Export/,
  ],
  'a query of Grafana': [{ results: { A: { frames: [] } } }, /^schema: .*Grafana/],
  "Docker's log file": [
    `${JSON.stringify({ log: `${request}\n`, stream: 'stdout', time: '' })}\n{}\n`,
    /^line 1: log: .*docker logs/,
  ],
  'lines of Loki': [
    `${JSON.stringify({ labels: {}, line: request, timestamp: '' })}\n{}\n`,
    /^line 1: line: .*logcli query --forward -o raw.*jq -r '\.line'/,
  ],
  'a structured log': [
    '{"level":"info","msg":"a","traceId":"x"}\n{"level":"info","msg":"b"}\n',
    /: this is a record of a log, not a span/,
  ],
  'JSON in a string': [
    JSON.stringify(request),
    /^byte 0: this is JSON within a JSON string; unwrap it \(jq -r \.\)/,
  ],
  null: ['null', /^byte 0: no format is recognised/],
  "Java's older logger": [
    "INFO: 'GET /o' : 0af7651916cd43dd8448eb211c80319c 00f067aa0ba902b7 CLIENT [tracer: io.opentelemetry.http:1.0] AttributesMap{data={}}\n",
    /^byte 0: .*LoggingSpanExporter, .*OTEL_TRACES_EXPORTER=otlp/,
  ],
  'a span in a structured log': [
    `${JSON.stringify({ level: 'INFO', message: '{"resource":{},"scopeSpans":[{"spans":[{"startTimeUnixNano":"1"}]}]}' })}\n{"level":"INFO","message":"b"}\n`,
    /^line 1: a span as text in a record of a log; .*jq -r \.message/,
  ],
  'the console of PHP': [{ resource: {}, schema_url: null, scopes: [] }, /^scopes: .*PHP/],
  'the console of Ruby': [
    '#<struct OpenTelemetry::SDK::Trace::SpanData\n name="GET">\n',
    /^byte 0: .*Ruby; export OTLP/,
  ],
  'the console of Rust': [
    'Spans\nResource\n\t ->  service.name=String(Owned("web"))\nSpan #0\n\tName  : "x"\n',
    /^byte 0: .*Rust; export OTLP/,
  ],
  "the Collector's debug exporter, brief": [
    '2026-11-01T10:00:00Z\tinfo\tTraces\t{"kind": "exporter", "resource spans": 1, "spans": 2}\n',
    /^byte 0: .*debug exporter/,
  ],
  'a bulk request': [
    '{"index":{"_index":"jaeger-span-2026"}}\n{"traceID":"a"}\n',
    /^line 1: index: .*bulk request/,
  ],
  "Jaeger's protobuf as JSON": [
    { spans: [{ traceId: 'CvdlGRbNQ92ESOshHIAxnA==', process: {} }] },
    /^spans: .*gRPC API and Kafka/,
  ],
  'a list of Google Cloud Trace': [{ traces: [{ projectId: 'p', traceId, spans: [] }] }, /^spans: .*Google/],
  'the console of JavaScript, cut off before the parent': [
    `listening\n{\n  resource: { attributes: {} },\n  traceId: '${traceId}',\n  nam`,
    /^line 2: the span that begins here is cut off/,
  ],
  'the console of Python, cut off before the parent': [
    `{\n    "name": "GET",\n    "context": {\n        "trace_id": "0x${traceId}",\n        "sp`,
    /^line 1: the span that begins here is cut off/,
  ],
  'the console of .NET, cut off': [
    `listening\nActivity.TraceId:            ${traceId}\nActivity.SpanId: 00f067aa0ba902b7\n`,
    /^line 2: a span without its resource: it is cut off/,
  ],
  'the console of .NET, cut off within the resource': [
    dotnetSpan.replace('service.name: web', 'telemetry.sdk.name: opentelemetry'),
    /^line 1: a span without service\.name at the end: it is cut off/,
  ],
  'a wrong duration on the console of .NET': [
    `${dotnetSpan.replace('00:00:00.0100000', 'soon')}`,
    /^line 1: Activity\.Duration: "soon" is not a duration/,
  ],
  'the console of .NET behind a prefix': [
    `${dotnetSpan.replace(/^/gm, 'web-1  | ')}\n${'not of a container\n'.repeat(9)}`,
    /^byte 0: .*text in front of each line/,
  ],
  "the Collector's debug exporter": [
    '2026-11-01T10:00:00Z\tinfo\tResourceSpans #0\nResource SchemaURL: \nSpan #0\n    Trace ID       : 0af7651916cd43dd8448eb211c80319c\n',
    /^line 3: a span without "ID": it is cut off/,
  ],
  "the Collector's debug exporter behind a prefix": [
    'otel-1  | 2026-11-01T10:00:00Z\tinfo\tResourceSpans #0\notel-1  | Span #0\notel-1  |     Trace ID       : 0af7\nnot of a container\nnor this\nnor this\n',
    /^byte 0: .*debug exporter, with text in front of its lines.*--no-log-prefix.*file exporter/,
  ],
  "the Collector's debug exporter behind the name of a container, cut off": [
    debugMessage('')
      .replace(/ *Status code[\s\S]*$/, '')
      .replace(/^/gm, 'otel-1  | '),
    /^in the lines of otel-1, line 5: a span without "Status message": it is cut off/,
  ],
  "the Collector's debug exporter behind the name of a program": [
    '[otel_074e]: Resource attributes:\n[otel_074e]: Span #0\n[otel_074e]: Trace ID : 0af7\n',
    /^byte 0: .*debug exporter, with text in front of its lines/,
  ],
  "the end of what the Collector's debug exporter printed": [
    'Span #1\n    Trace ID       : 0af7\n2026-11-01T10:00:00Z\tinfo\tResourceSpans #0\n',
    /^line 1: a span without its resource/,
  ],
  "the Collector's debug exporter, without the end of its last message": [
    `${debugMessage('\t{"otelcol.component.id": "debug"}\n')}${debugMessage('')}`,
    /^line 18: this message has no end: .*cut off.*; take the whole log/,
  ],
  "the Collector's debug exporter, cut off within an attribute": [
    debugMessage('').replace(/\)\n$/, ''),
    /^line 16: an attribute without its closing bracket: .*cut off/,
  ],
  "the Collector's debug exporter, cut off within a time": [
    debugMessage('').replace(/(End time.*\.\d)[\s\S]*$/, '$1'),
    /^line 5: End time: "2026-11-01 10:00:00\.1" is not a time of Go/,
  ],
  "the Collector's debug exporter, cut off behind the times": [
    debugMessage('').replace(/ *Status code[\s\S]*$/, ''),
    /^line 5: a span without "Status message": it is cut off/,
  ],
  "a wrong kind of the Collector's debug exporter": [
    `ResourceSpans #0\nSpan #0\nTrace ID : ${traceId}\nParent ID :\nID : b7ad6b7169203331\nName : GET\nKind : Some\n`,
    /^line 2: Kind: "Some" is not a kind of span/,
  ],
  'a table': ['Timestamp,TraceId,SpanId\n"2026",a,b\n', /^byte 0: .*a table/],
  'a table of traces': [
    '"TraceId","SpanId"\n"a","b"\n',
    /^byte 0: .*a table \(CSV or TSV\); take JSON: .*JSONEachRow/,
  ],
  YAML: ['resourceSpans:\n  - resource: {}\n', /^byte 0: .*YAML; convert it/],
  'kubectl logs --prefix': [
    "[pod/web-5d/web] {\n[pod/web-5d/web]   resource: {\n[pod/web-5d/web]   traceId: 'a',\n[pod/web-5d/web]   parentSpanContext: undefined\n[pod/web-5d/web] }\n",
    /^in the lines of pod\/web-5d\/web, line 1: /,
  ],
  'docker compose logs': [
    'web-1  | {\nweb-1  |     "name": "GET",\nweb-1  |     "parent_id": null\nweb-1  | }\n',
    /^line 3: a part of a span .*docker compose logs --no-log-prefix/,
  ],
  'docker compose logs without spans': [
    'web-1  | listening\n',
    /^byte 0: .*docker compose logs --no-log-prefix/,
  ],
  'a comma too many': [
    `[${request},]`,
    /^byte \d+: not valid JSON at "\]" \(the comma before it is one too many; remove it\)/,
  ],
  'a comma too many, in an object': ['{"resourceSpans":[],\n}', /^byte 21: .*one too many/],
  'elements without their list': [
    `${request},\n${request}\n`,
    /^byte \d+: not valid JSON at ",.* \(elements of a list without its brackets\? put \[ in front/,
  ],
  'single quotes': ["{'resourceSpans': []}", /^byte 1: .*single quotes: printed by a program/],
  bzip2: [Buffer.from('BZh91AY&SY'), /^byte 0: compressed with bzip2; uncompress it first \(bunzip2\)/],
  xz: [Buffer.from('\xfd7zXZ\0', 'latin1'), /^byte 0: compressed with xz/],
  '7z': [Buffer.from('7z\xbc\xaf\x27', 'latin1'), /^byte 0: a 7z archive; unpack it/],
  tar: [
    Buffer.concat([Buffer.from('traces.json'), Buffer.alloc(246), Buffer.from('ustar\0'), Buffer.alloc(249)]),
    /^byte 0: a tar archive; unpack it/,
  ],
  Parquet: [Buffer.from('PAR1\x15\x04'), /^byte 0: Parquet/],
  SQLite: [Buffer.from('SQLite format 3\0'), /^byte 0: a SQLite database/],
  pcap: [Buffer.from('\xd4\xc3\xb2\xa1\x02', 'latin1'), /^byte 0: a capture of packets/],
  'gzip in gzip': [gzipSync(request), /^byte 0: compressed twice; uncompress it first/],
  'a wrong document among several': [
    `${request}\n\n{\n "resourceSpans": [1]\n}\n`.replace('{', '{\n'),
    /^document 2 \(from line 4\): resourceSpans\[0\]/,
  ],
  'a document that is cut off, behind another': [
    `{\n${request.slice(1)}\n{\n "resourceSpans": [`,
    /^document 2 \(from line 3\): byte \d+: the JSON ends early/,
  ],
  'a wrong field under a snake_case name': [
    {
      resource_spans: [
        {
          scope_spans: [
            { spans: [{ trace_id: traceId, span_id: 'b7ad6b7169203331', start_time_unix_nano: 'soon' }] },
          ],
        },
      ],
    },
    /^resource_spans\[0\]\.scope_spans\[0\]\.spans\[0\]\.start_time_unix_nano: "soon" is not an integer/,
  ],
  'a wrong field of a bare resource': [
    [{ scopeSpans: [{ spans: [{ traceId, spanId: '1' }] }] }],
    /^\[0\]\.scopeSpans\[0\]\.spans\[0\]\.spanId: "1"/,
  ],
  'a line that is cut off, among lines of a log': [
    `${request}\nlistening\n${request.slice(0, 30)}\n${request}\n`,
    /^line 3: a part of a span/,
  ],
  'the end of a line, among lines of a log': [
    `${request}\nlistening\n"startTimeUnixNano":"1"}]}]}]}\n`,
    /^line 3: a part of a span/,
  ],
  'a printed span that is cut off': [
    span({ attributes: [] }).concat(',"scopeSpans":[{"spans":[{"startTimeUnixNano":"1"'),
    /^line 1: the span that begins here is cut off/,
  ],
  'a printed span in the middle of a log that is damaged': [
    "listening\n{\n  traceId: '0af7',\n  parentSpanContext: undefined,\n  id: ?\n}\n",
    /^line 2: character \d+: not a value as console\.dir prints it, at "\?/,
  ],
};

for (const [name, [input, message]] of Object.entries(refused)) {
  test(`refused with a reason: ${name}`, () => {
    const bytes = typeof input === 'string' || input instanceof Uint8Array ? input : JSON.stringify(input);
    assert.throws(() => decodeBytes(Buffer.from(bytes)), { name: 'DecodeError', message });
  });
}

test('documents without parents are read if they have one kind, several services or several traces', () => {
  const span = (fields: object) => ({ ...webDocument, span_id: 'c1'.repeat(8), ...fields });
  const others = [
    span({}),
    span({ kind: 'Client', resource: { attributes: { 'service.name': 'orders' } } }),
    span({ kind: 'Client', resource: { attributes: {} } }),
    span({ kind: 'Client', trace_id: 'c1'.repeat(16) }),
    span({ kind: 'Client', parent_span_id: webDocument.span_id }),
  ];
  for (const other of others)
    assert.equal(decodeBytes(Buffer.from(JSON.stringify([webDocument, other]))).spans.length, 2);
});

test('text that matches no pattern is refused in reasonable time, however often its parts repeat', () => {
  const parts = [
    '\n',
    '\r',
    '\r\n',
    '\u2028',
    ' ',
    '\t',
    '#\n',
    '# a\r\n',
    '---\n',
    '--- #\n',
    'a,',
    '"a" ',
    '|\r',
    '| \n',
    'ab ',
    '\\n',
  ];
  for (const part of parts) {
    for (const start of [
      '',
      '"',
      '[',
      '|',
      '|id',
      'name ',
      'name : a\n',
      'Span a:',
      'Spans',
      'trace_id,',
      'ResourceSpans #0\nSpan #0\nA',
      'Activity.TraceId:\n',
    ]) {
      assert.throws(() => decodeBytes(Buffer.from(`${start}${part.repeat(10_000)}x`)), {
        name: 'DecodeError',
      });
    }
  }
});
