import { DecodeError } from './decode-error.ts';
import { isObject } from './otlp-json-value.ts';
import { refuseWrappedSpans } from './refuse-wrapped-spans.ts';

type Document = Readonly<Record<string, unknown>>;

interface OtherTool {
  readonly matches: (document: Document) => boolean;
  /** The field that identifies the tool; it is the path of the error. */
  readonly field: string;
  /** The message, or a function that makes it from the document's jq path. */
  readonly says: string | ((place: string) => string);
  /** Reported only if no field of the document holds spans. */
  readonly isVague?: boolean;
}

const viaCollector = (receiver: string) =>
  `send the same spans to an OpenTelemetry Collector (${receiver} receiver) and take what its file exporter writes`;
/** Loki returns the newest line first, and a printed span may have many lines. */
const linesOfLoki = (field: string) =>
  `these are lines from Loki, which hold the printed text; take it with \`logcli query --forward -o raw\` (or jq -r '${field}', where each line is whole)`;
const instead =
  'export the same spans as OTLP: to the file exporter of an OpenTelemetry Collector, or to `propagation-check run --source otlp`';

const ofLanguageModels = `these are spans of a tool for language models (Phoenix, Langfuse, LangSmith), which leave out services and the kinds of calls; ${instead}`;

function isOfLanguageModels(span: Document): boolean {
  return hasAll(span, 'context', 'span_kind') || hasAny(span, 'parentObservationId');
}

/** Formats that hold no spans, or too little to judge them: kinds, one side of a call, or parents are missing. */
const others: readonly OtherTool[] = [
  {
    field: 'traces',
    isVague: true,
    matches: ({ traces }) => hasElement(traces, (trace) => hasAny(trace, 'traceID', 'rootServiceName')),
    says: "this is Tempo's answer to a search, which names traces and does not hold them; take each from /api/traces/TRACE_ID",
  },
  {
    field: 'data',
    matches: ({ data }) =>
      Array.isArray(data) && data.length > 0 && data.every((each) => typeof each === 'string'),
    says: 'this is a list of names, as Jaeger answers for services and operations; take traces from /api/traces?service=… or /api/traces/TRACE_ID',
  },
  {
    field: 'data',
    matches: ({ data }) => hasElement(data, (each) => hasAll(each, 'parent', 'child', 'callCount')),
    says: 'these are dependencies of Jaeger, which are counts and no spans; take traces from /api/traces?service=…',
  },
  {
    field: 'summaries',
    matches: ({ summaries }) => hasElement(summaries, (each) => hasAny(each, 'traceId', 'rootServiceName')),
    says: "this is Jaeger's answer to a search, which names traces and does not hold them; take each from /api/v3/traces/TRACE_ID",
  },
  {
    field: 'spans',
    matches: ({ spans }) => isObject(spans) && hasAny(spans, 'resourceSpans'),
    says: 'these are the spans that a search of Jaeger found, without the others of their traces; take each trace from /api/v3/traces/TRACE_ID',
  },
  ...['services', 'operations'].map((field) => ({
    field,
    matches: (document: Document) => Object.keys(document).length === 1 && isListOfNames(document[field]),
    says: 'this is a list of names, as Jaeger answers for services and operations; take traces from /api/v3/traces/TRACE_ID',
  })),
  { field: 'context', matches: isOfLanguageModels, says: ofLanguageModels },
  { field: 'data', matches: ({ data }) => hasElement(data, isOfLanguageModels), says: ofLanguageModels },
  {
    field: 'observations',
    matches: ({ observations }) => hasElement(observations, (each) => hasAny(each, 'id')),
    says: ofLanguageModels,
  },
  {
    field: 'run_type',
    matches: (document) => hasAll(document, 'run_type', 'parent_run_id'),
    says: ofLanguageModels,
  },
  {
    field: 'Segments',
    matches: (document) =>
      isXrayTrace(document) ||
      hasElement(document.Traces, isXrayTrace) ||
      hasAny(document, 'TraceSummaries', 'UnprocessedTraceIds') ||
      (typeof document.trace_id === 'string' && /^1-[0-9a-f]{8}-[0-9a-f]{24}$/i.test(document.trace_id)) ||
      (typeof document.Document === 'string' && document.Document.includes('"trace_id"')),
    says: `these are segments of AWS X-Ray, which leave out kinds and links; ${viaCollector('awsxray or otlp')}`,
  },
  {
    field: 'trace_id',
    matches: isDatadogSpan,
    says: `these are spans of Datadog, which leave out the service's resource and the kinds of most calls; ${viaCollector('datadog or otlp')}`,
  },
  {
    field: 'data',
    matches: ({ data }) => hasElement(data, (each) => each.type === 'span' || each.type === 'spans'),
    says: `this is an answer of Datadog's API, which leaves out kinds and links; ${viaCollector('datadog or otlp')}`,
  },
  {
    field: 'trace',
    matches: ({ trace }) => isObject(trace) && (hasAny(trace, 'root_id') || isDatadogSpan(trace)),
    says: `this is a trace downloaded from Datadog, which leaves out kinds and links; ${viaCollector('datadog or otlp')}`,
  },
  {
    field: 'traces',
    matches: ({ traces }) =>
      Array.isArray(traces) &&
      hasElement(traces[0], (span) => hasAll(span, 'trace_id', 'span_id', 'service')),
    says: `these are spans as an agent of Datadog takes them, which leave out kinds and links; ${viaCollector('datadog or otlp')}`,
  },
  {
    field: 'format',
    matches: (document) => hasAll(document, 'format', 'version') && Object.keys(document).length === 2,
    says: `this is what is sent to the daemon of AWS X-Ray, whose segments leave out kinds and links; ${viaCollector('awsxray or otlp')}`,
  },
  {
    field: '_spanContext',
    matches: (document) =>
      hasAny(document, '_spanContext') || (isObject(document.spanContext) && hasAny(document, 'startTime')),
    says: `these are span objects of an SDK, as JSON.stringify writes them; take what its ConsoleSpanExporter prints, or ${instead}`,
  },
  {
    field: 'spans',
    matches: (document) => isGoogleTrace(document) || hasElement(document.traces, isGoogleTrace),
    says: `this is a trace of Google Cloud Trace, which leaves out services; ${instead}`,
  },
  {
    field: 'traceId',
    matches: (document) =>
      hasAny(document, 'traceSegmentId', 'segmentId') ||
      hasElement(document.spans, (span) => hasAny(span, 'segmentId', 'spanType')),
    says: `these are spans of SkyWalking; ${instead}`,
  },
  {
    field: 'spanId',
    matches: (document) => isGoogleSpan(document) || hasElement(document.spans, isGoogleSpan),
    says: `these are spans of Google Cloud Trace, which leave out services; ${instead}`,
  },
  {
    field: 'insertId',
    matches: (document) => hasAll(document, 'insertId', 'logName'),
    says: 'these are entries of Google Cloud Logging, which name traces and do not hold them',
  },
  {
    field: 'durationInNanos',
    matches: (document) => hasAny(document, 'durationInNanos', 'traceGroup'),
    says: `these are spans of OpenSearch Data Prepper with a part of their fields; take whole documents, or ${instead}`,
  },
  {
    field: 'results',
    matches: ({ results }) =>
      Array.isArray(results) && hasElement(results[0], (each) => hasAll(each, 'field', 'value')),
    says: (place) =>
      `this is an answer of CloudWatch Logs Insights; take the spans out of its records (jq -r '${place}.results[][] | select(.field == "@message").value')`,
  },
  {
    field: 'resource',
    matches: (document) => isObject(document.resource) && hasAll(document, 'traceId', 'spanId'),
    says: `these are spans with their resource beside each, but with other fields than those of CloudWatch (aws/spans); ${instead}`,
  },
  {
    field: 'metadata',
    matches: ({ metadata, transaction, span }) =>
      (isObject(metadata) && isObject(metadata.service)) ||
      [transaction, span].some((event) => isObject(event) && hasAll(event, 'id', 'trace_id')),
    says: `these are events as agents of Elastic APM send them; ${instead}`,
  },
  {
    field: 'event_id',
    matches: (document) =>
      hasAny(document, 'event_id', 'eventID') &&
      hasAny(document, 'contexts', 'entries', 'sent_at', 'dsn', 'transaction_id'),
    says: `this is an event of Sentry; ${instead}`,
  },
  {
    field: 'operation_Id',
    matches: (document) =>
      hasAny(document, 'operation_Id', 'operation_ParentId', 'itemType', 'iKey', 'instrumentationKey') ||
      (hasAny(document, 'OperationId') && hasAny(document, 'TimeGenerated', 'ParentId')) ||
      hasElement(document.tables, (table) => hasAll(table, 'columns', 'rows')),
    says: `this is telemetry of Azure Application Insights; ${instead}`,
  },
  {
    field: 'trace.trace_id',
    matches: (document) =>
      hasAny(document, 'trace.trace_id', 'trace.span_id', 'trace.parent_id') ||
      (isObject(document.data) &&
        (hasAny(document.data, 'trace.trace_id') || Array.isArray(document.data.results))),
    says: `these are events of Honeycomb; ${instead}`,
  },
  {
    field: 'trace.id',
    matches: (document) => [document, ...listRows(document)].some((row) => hasAny(row, 'trace.id')),
    says: `these are spans as queries of Dynatrace, Elastic or New Relic answer them; ${instead}`,
  },
  {
    field: 'data',
    matches: ({ data }) => isObject(data) && hasAny(data, 'actor'),
    says: `this is an answer of New Relic; ${instead}`,
  },
  {
    field: 'processor',
    matches: ({ processor }) => isObject(processor) && hasAny(processor, 'event'),
    says: `this is a document of Elastic APM; ${instead}`,
  },
  {
    field: 'data.trace',
    matches: ({ data }) => isObject(data) && (hasAny(data, 'queryTrace') || isObject(data.trace)),
    says: `this is an answer of SkyWalking; ${instead}`,
  },
  {
    field: 'traceEvents',
    matches: (document) => hasAny(document, 'traceEvents') || hasAll(document, 'ph', 'ts', 'pid'),
    says: 'this is a profile for chrome://tracing or Perfetto, and holds no distributed trace',
  },
  {
    field: 'log',
    matches: ({ log }) => isObject(log) && hasAny(log, 'entries'),
    says: 'this is a HAR file, what a browser requested, and holds no spans; export the spans of the services as OTLP',
  },
  {
    field: 'schema',
    matches: (document) =>
      isObject(document.schema) ||
      (hasAny(document, 'fields') && hasAny(document, 'refId', 'meta')) ||
      hasFrames(document),
    says: "this is a data frame of a Grafana panel; open the trace in Grafana's Explore and use its Export button, or take it from Tempo (/api/traces/TRACE_ID)",
  },
  {
    field: 'log',
    matches: ({ log, stream }) => typeof log === 'string' && typeof stream === 'string',
    says: (place) =>
      `this is Docker's own log file, which holds the printed lines as text; take them with \`docker logs CONTAINER\` (or jq -j '${place}.log')`,
  },
  {
    field: 'line',
    matches: ({ line, labels, fields }) => typeof line === 'string' && (isObject(labels) || isObject(fields)),
    says: (place) => linesOfLoki(`${place}.line`),
  },
  {
    field: 'data',
    matches: ({ data }) => isObject(data) && data.resultType === 'streams',
    says: (place) => linesOfLoki(`${place}.data.result[].values[][1]`),
  },
  {
    field: 'msg',
    matches: ({ msg }) => typeof msg === 'string' && /^ResourceSpans #\d/.test(msg),
    says: (place) =>
      `this is the Collector's debug exporter in a log in JSON; take the text out of it (jq -r '${place}.msg')`,
  },
  {
    field: 'level',
    matches: isLogRecord,
    says: 'this is a record of a log, not a span',
  },
  {
    field: 'index',
    matches: ({ index, create }) => [index, create].some((each) => isObject(each) && hasAny(each, '_index')),
    says: 'this is a bulk request of Elasticsearch; take the answer to a search, or a dump with _source',
  },
  {
    field: 'scopes',
    matches: ({ resource, scopes }) => isObject(resource) && Array.isArray(scopes),
    says: `this is what PHP's console exporter prints; ${instead}`,
  },
  {
    field: 'traceID',
    matches: (document) =>
      isRow(document) ||
      [document.event, document.data, document.span].some((each) => isObject(each) && isRow(each)),
    says: `these are spans as rows of another tool (a Grafana panel, SigNoz, Elasticsearch, Splunk, a log service); ${instead}`,
  },
  {
    field: 'spans',
    matches: (document) =>
      hasAll(document, 'traceId', 'spanId', 'operationName') ||
      hasElement(document.spans, (span) => hasAll(span, 'traceId', 'process')) ||
      (isObject(document.chunk) && hasAny(document.chunk, 'spans')),
    says: "these are spans of Jaeger as its gRPC API and Kafka have them; take them from the UI's download, or from /api/traces/TRACE_ID",
  },
  {
    field: 'callCount',
    matches: (document) => hasAll(document, 'parent', 'child', 'callCount'),
    says: 'these are dependencies of Zipkin, which are counts and no spans; take traces from /api/v2/traces?serviceName=…',
  },
  {
    field: 'value',
    matches: (document) => hasAll(document, 'topic', 'partition', 'value'),
    says: (place) =>
      `these are messages of Kafka with what is around them; take their values alone (jq -r '${place}.value', kcat -f "%s\\n")`,
  },
  {
    field: 'data',
    matches: ({ data }) => hasElement(data, (each) => hasAny(each, 'spanKind') && hasAny(each, 'name')),
    says: 'this is a list of names, as Jaeger answers for operations; take traces from /api/traces?service=… or /api/traces/TRACE_ID',
  },
  {
    field: 'data',
    isVague: true,
    matches: ({ data, meta }) =>
      !Array.isArray(meta) &&
      (isObject(data) || hasElement(data, (trace) => !hasAny(trace, 'spans', 'traceID', 'TraceId'))),
    says: `this is an answer whose "data" holds no traces of Jaeger; ${instead}`,
  },
  {
    field: 'resource',
    matches: (document) =>
      hasAll(document, 'traceId', 'spanId') ||
      hasElement(document.spans, (span) => hasAny(span, 'spanId', 'span_id')),
    says: 'these are spans without their resource, so that no service is known; take the whole export ({"resourceSpans": [{"resource": …}]})',
  },
  {
    field: 'message',
    matches: isErrorAnswer,
    says: 'this is an error that a server answered, and no spans; ask again with the right address, trace id or token',
  },
];

/** Fields that hold the rows of answers to queries (SigNoz, Axiom, OpenObserve, Quickwit, GreptimeDB, CloudWatch, Instana, Azure, Splunk). */
const rowFields = [
  'columns',
  'matches',
  'tables',
  'hits',
  'output',
  'events',
  'results',
  'items',
  'records',
  'rows',
];

/** @throws {DecodeError} for an object that holds rows; called when no other format is recognised. */
export function refuseRows(document: Document): void {
  const field = rowFields.find((name) => Array.isArray(document[name]));
  if (field === undefined) return;
  throw new DecodeError(`${field}: this is the answer of another tool to a query, in rows; ${instead}`);
}

/**
 * @param place The document's jq path in its file: `.[]` in a list, otherwise empty.
 * @throws {DecodeError} for an object of a known tool whose format cannot be read; the message names the tool and says what to take
 *   instead.
 */
export function refuseOtherTool(document: Document, place: string): void {
  const other = others.find(({ matches }) => matches(document));
  if (other === undefined || other.isVague === true) refuseWrappedSpans(document, place);
  if (other === undefined) return;
  const { field, says } = other;
  throw new DecodeError(`${field}: ${typeof says === 'string' ? says : says(place)}`);
}

/** Whether an object is a record of a structured log, which may have the ids of a trace and a span. */
export function isLogRecord(document: Document): boolean {
  return hasAny(document, 'level', 'severity', 'levelname') && hasAny(document, 'msg', 'message');
}

function isGoogleTrace(document: Document): boolean {
  return hasAny(document, 'projectId') && hasAny(document, 'spans', 'traceId');
}

/** Source: Google Cloud Trace API v2, `TruncatableString`. */
function isGoogleSpan({ displayName }: Document): boolean {
  return isObject(displayName) && hasAny(displayName, 'value');
}

/** Lists the rows in the answer to a query: the first row of each list. */
function listRows({ results, result, common, spans }: Document): readonly Document[] {
  const first = (list: unknown): readonly Document[] =>
    Array.isArray(list) && isObject(list[0]) ? [list[0]] : [];
  return [
    ...first(results).flatMap((answer) => first(answer.events)),
    ...(isObject(result) ? first(result.records) : []),
    ...(isObject(common) ? first(spans) : []),
  ];
}

/** Whether a document is a span with its service, or a span with field names of no known format. */
function isRow(document: Document): boolean {
  const isNamed =
    (hasAll(document, 'traceID', 'spanID') || hasAll(document, 'traceId', 'spanId')) &&
    hasAny(document, 'serviceName', 'service') &&
    !hasAny(document, 'process', 'processID');
  return isNamed || hasAll(document, 'trace_id', 'span_id') || hasAll(document, 'traceId', 'guid');
}

function isXrayTrace(document: Document): boolean {
  return Array.isArray(document.Segments);
}

/** Ids are 64-bit integers, and `meta` holds the tags. Source: Datadog, Trace Agent API v0.3. */
function isDatadogSpan(document: Document): boolean {
  const isNumber = (id: unknown) =>
    typeof id === 'number' || (typeof id === 'string' && /^\d{1,20}$/.test(id));
  return (
    isNumber(document.trace_id) &&
    isNumber(document.span_id) &&
    hasAny(document, 'resource', 'meta', 'service', 'parent_id')
  );
}

function hasFrames(document: Document): boolean {
  return (
    isObject(document.results) &&
    Object.values(document.results).some((each) => isObject(each) && hasAny(each, 'frames'))
  );
}

const errorFields = new Set([
  'message',
  'error',
  'errors',
  'code',
  'status',
  'statusCode',
  'details',
  'title',
  'detail',
  'type',
  'path',
  'timestamp',
  'traceID',
]);

/** Whether a document has only fields that describe an error, and text in one of them. */
function isErrorAnswer(document: Document): boolean {
  const says = [document.message, document.error, document.detail, document.title];
  return (
    says.some((text) => typeof text === 'string') &&
    Object.keys(document).every((field) => errorFields.has(field))
  );
}

function isListOfNames(list: unknown): boolean {
  return (
    Array.isArray(list) &&
    list.every((each) => typeof each === 'string' || (isObject(each) && hasAll(each, 'name', 'spanKind')))
  );
}

function hasElement(list: unknown, matches: (element: Document) => boolean): boolean {
  const first: unknown = Array.isArray(list) ? list[0] : undefined;
  return isObject(first) && matches(first);
}

function hasAny(document: Document, ...fields: readonly string[]): boolean {
  return fields.some((field) => Object.hasOwn(document, field));
}

function hasAll(document: Document, ...fields: readonly string[]): boolean {
  return fields.every((field) => Object.hasOwn(document, field));
}
