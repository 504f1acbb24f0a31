import { RowSpan } from '../span/row-span.ts';
import type { AttributeValue, Span } from '../span/span.ts';

/**
 * Facts that a span tells of the call that it belongs to, in the attribute names of every generation of the
 * semantic conventions (HTTP before and after 1.23, RPC before and after its stabilisation, messaging, MCP), and of
 * Micrometer's observations (Spring).
 */
export interface CallFacts {
  readonly protocol: 'http' | 'rpc' | 'messaging' | 'mcp' | 'database' | 'unknown';
  readonly method: string | null;
  /** Path without query, as requested; null where the span has none. */
  readonly path: string | null;
  /** Route template of a SERVER span. */
  readonly route: string | null;
  /** Host of the called side. */
  readonly host: string | null;
  /** Port of the called side. */
  readonly port: number | null;
  /** Fully qualified RPC method `package.Service/Method`. */
  readonly rpcMethod: string | null;
  /** Message destination (topic, queue). */
  readonly destination: string | null;
  /** The message id, given by the broker or the sender: equal on both sides. */
  readonly messageId: string | null;
  /** HTTP status code. */
  readonly statusCode: number | null;
  readonly userAgent: string | null;
  /** Of a call of the Model Context Protocol. */
  readonly mcp: McpFacts | null;
}

/** Source: semantic conventions, "Model Context Protocol". Instrumentations leave out any but the method. */
export interface McpFacts {
  /** Of JSON-RPC: `tools/call`. */
  readonly method: string | null;
  /** The tool or prompt. */
  readonly target: string | null;
  /** Unique within a session. */
  readonly requestId: string | null;
  readonly sessionId: string | null;
}

/** The source of facts: a span, or a row of a span store. */
export interface FactSource {
  readonly kind: Span['kind'];
  readonly name: string;
  readonly status: { readonly code: Span['status']['code'] };
  readonly attributes: AttributeReader;
}

export interface AttributeReader {
  get(key: string): AttributeValue | undefined;
  has(key: string): boolean;
}

class KnownFacts {
  readonly facts: CallFacts;

  constructor(facts: CallFacts) {
    this.facts = facts;
  }
}

/** Reads the facts of rows where many have some in common. */
export class FactsOfRows {
  readonly read: (row: number) => CallFacts;

  constructor(read: (row: number) => CallFacts) {
    this.read = read;
  }
}

export function readCallFacts(span: Span): CallFacts {
  if (!(span instanceof RowSpan)) return readFacts(span, readProtocol(span, listFamilies(span)));
  if (span.memo instanceof KnownFacts) return span.memo.facts;
  const ofRows = span.source.memo;
  const facts =
    ofRows instanceof FactsOfRows
      ? ofRows.read(span.row)
      : readFacts(span, readProtocol(span, listFamilies(span)));
  span.memo = new KnownFacts(facts);
  return facts;
}

export function readFacts(span: FactSource, protocol: CallFacts['protocol']): CallFacts {
  const { host, port } = readAddress(span);
  return {
    protocol,
    method: readMethod(span),
    path: readPath(span),
    route: readRoute(span),
    host,
    port,
    rpcMethod: readRpcMethod(span),
    destination: readDestination(span),
    messageId: readMessageId(span),
    statusCode: readStatusCode(span),
    userAgent: readUserAgent(span),
    mcp: protocol === 'mcp' ? readMcp(span) : null,
  };
}

export function readMcp(span: FactSource): McpFacts {
  return {
    method: readText(span, 'mcp.method.name'),
    target: readText(span, 'gen_ai.tool.name', 'gen_ai.prompt.name'),
    requestId: readText(span, 'jsonrpc.request.id'),
    sessionId: readText(span, 'mcp.session.id'),
  };
}

export function readMessageId(span: FactSource): string | null {
  for (const key of messageIds) {
    const value = span.attributes.get(key);
    if (typeof value === 'number' || typeof value === 'bigint') return String(value);
    if (typeof value === 'string' && value !== '') return value;
  }
  return readLogPosition(span);
}

/** Job queues number their messages. Sources: bullmq-otel, opentelemetry_oban before and after 1.2. */
const messageIds = [
  ...(['messaging.message.id', 'messaging.message_id', 'bullmq.job.id', 'messaging.bullmq.job.id'] as const),
  ...(['oban.job.job_id', 'messaging.oban.job_id'] as const),
];

/** The correlation id: a request and its reply have the same one. Source: semantic conventions for messaging, of today and before 1.17. */
export function readConversationId(span: FactSource): string | null {
  return readText(span, 'messaging.message.conversation_id', 'messaging.conversation_id');
}

/**
 * A topic keeps each message at one offset of one partition, which brokers tell producers too. Sources: semantic conventions for Kafka, of today
 * and before 1.27; opentelemetry-java-instrumentation, `KafkaProducerAttributesExtractor.java`.
 */
export function readLogPosition(span: FactSource): string | null {
  const topic = readDestination(span);
  const offset = readNumber(span, 'messaging.kafka.offset', 'messaging.kafka.message.offset');
  const partition = readNumber(
    span,
    'messaging.destination.partition.id',
    'messaging.kafka.destination.partition',
    'messaging.kafka.partition',
  );
  return topic === null || offset === null || partition === null ? null : `${topic}/${partition}/${offset}`;
}

export function readDestination(span: FactSource): string | null {
  const name = readText(
    span,
    'messaging.destination.name',
    'messaging.destination',
    'messaging.source.name',
    'bullmq.queue.name',
  );
  return name === null || name === defaultExchange ? (readRoutingKey(span) ?? name) : name;
}

/**
 * The exchange of RabbitMQ that has no name hands a message to the queue that the routing key names. Sources: AMQP 0-9-1, "The default exchange";
 * opentelemetry-java-instrumentation, `RabbitInstrumenterHelper.java`; opentelemetry-js-contrib, instrumentation-amqplib, which leaves the name empty.
 */
const defaultExchange = '<default>';

function readRoutingKey(span: FactSource): string | null {
  return readText(span, 'messaging.rabbitmq.destination.routing_key', 'messaging.rabbitmq.routing_key');
}

export function readMethod(span: FactSource): string | null {
  return readText(span, 'http.request.method', 'http.method', 'method')?.toUpperCase() ?? null;
}

export function readPath(span: FactSource): string | null {
  const target = withoutQuery(readText(span, 'url.path', 'http.target', 'http.path'));
  return target ?? parseUrl(readUrl(span))?.path ?? readPathOfUrl(span);
}

export function readRoute(span: FactSource): string | null {
  return readText(span, 'http.route') ?? readRouteOfName(span);
}

/** Of the called side. */
export function readAddress(span: FactSource): Pick<CallFacts, 'host' | 'port'> {
  const address = splitAddress(
    readText(span, 'server.address', span.kind === 'SERVER' ? 'net.host.name' : 'net.peer.name'),
  );
  const port = readPort(span);
  if (address !== null && port !== null) return { host: address.host, port };
  const url = parseUrl(readUrl(span));
  return { host: address?.host ?? url?.host ?? null, port: port ?? url?.port ?? address?.port ?? null };
}

/** `orders:8080`, or the host alone; null where no host is named. */
export function nameAddress({ host, port }: Pick<CallFacts, 'host' | 'port'>): string | null {
  return host === null || port === null ? host : `${host}:${port}`;
}

function readUrl(span: FactSource): string | null {
  return readText(span, 'url.full', 'http.url');
}

/** Bits for the attributes of each protocol. */
export const family = {
  database: 1,
  messaging: 2,
  rpc: 4,
  http: 8,
  component: 16,
  trigger: 32,
  mcp: 64,
} as const;

/** The family of each attribute that tells the protocol. */
export const families: ReadonlyMap<string, number> = new Map([
  ...['db.system.name', 'db.system', 'db.statement', 'db.query.text'].map(
    (key) => [key, family.database] as const,
  ),
  ['messaging.system', family.messaging],
  ...['rpc.system.name', 'rpc.system', 'rpc.service', 'rpc.method'].map((key) => [key, family.rpc] as const),
  ['mcp.method.name', family.mcp],
  ['component', family.component],
  ['faas.trigger', family.trigger],
  ...[
    'http.request.method',
    'http.method',
    'url.full',
    'http.url',
    'http.response.status_code',
    'http.status_code',
    'http.route',
    'http.target',
  ].map((key) => [key, family.http] as const),
]);

function listFamilies({ attributes }: Span): number {
  let found = 0;
  for (const key of attributes.keys()) found |= families.get(key) ?? 0;
  return found;
}

/** The attributes of which `readProtocol` reads the values. */
export const protocolAttributes = ['component', 'faas.trigger'] as const;

/** @param found Bits of the families of which the span has an attribute. */
export function readProtocol(span: FactSource, found: number): CallFacts['protocol'] {
  if ((found & family.database) !== 0) return 'database';
  if (span.kind === 'PRODUCER' || span.kind === 'CONSUMER' || (found & family.messaging) !== 0)
    return 'messaging';
  // Some say `rpc.system` too.
  if ((found & family.mcp) !== 0) return 'mcp';
  if ((found & family.rpc) !== 0) return 'rpc';
  if ((found & family.component) !== 0 && readOpenTracingRpc(span) !== null) return 'rpc';
  if ((found & family.http) !== 0) return 'http';
  return (found & family.trigger) !== 0 ? readTrigger(span) : 'unknown';
}

/** Functions tell what called them (semantic conventions, FaaS spans, "faas.trigger"). */
function readTrigger(span: FactSource): CallFacts['protocol'] {
  const trigger = readText(span, 'faas.trigger');
  if (trigger === 'http') return 'http';
  return trigger === 'pubsub' ? 'messaging' : 'unknown';
}

/** Some instrumentations write `host:port` where only the host belongs. IPv6 addresses have more than one colon. */
function splitAddress(text: string | null): { host: string; port: number | null } | null {
  if (text === null) return null;
  const [, host, port] = /^([^:]+):(\d+)$/.exec(text) ?? [];
  return host === undefined ? { host: text, port: null } : { host, port: Number(port) };
}

function readPort(span: FactSource): number | null {
  const own = span.kind === 'SERVER' ? ['net.host.port'] : ['net.peer.port'];
  return readNumber(span, 'server.port', ...own);
}

export function readRpcMethod(span: FactSource): string | null {
  const method = readText(span, 'rpc.method');
  if (method?.includes('/')) return method.replace(/^\/+/, '');
  const service = readText(span, 'rpc.service');
  return service !== null && method !== null ? `${service}/${method}` : readOpenTracingRpc(span);
}

/** OpenTracing's gRPC instrumentations say `component=gRPC` (`grpc`, `java-grpc`), and the operation is the full method on both sides. */
function readOpenTracingRpc(span: FactSource): string | null {
  if (!/grpc/i.test(readText(span, 'component') ?? '')) return null;
  return /^\/?([\w.]+\/\w+)$/.exec(span.name)?.[1] ?? null;
}

/**
 * SERVER spans are named `{method} {route}` where the route is known (semantic conventions, HTTP spans, "Name"),
 * and `http {method} {route}` by Micrometer.
 */
function readRouteOfName(span: FactSource): string | null {
  return span.kind === 'SERVER' ? (/^(?:http )?[a-z]+ (\/\S*)$/i.exec(span.name)?.[1] ?? null) : null;
}

/** Micrometer's servers write the path alone where a URL belongs. */
function readPathOfUrl(span: FactSource): string | null {
  const url = readText(span, 'http.url');
  return url?.startsWith('/') ? withoutQuery(url) : null;
}

/** The first of the attributes that is a text and not empty. */
export function readText(span: FactSource, ...keys: readonly string[]): string | null {
  for (const key of keys) {
    const value = span.attributes.get(key);
    if (typeof value === 'string' && value !== '') return value;
  }
  return null;
}

function readNumber(span: FactSource, ...keys: readonly string[]): number | null {
  for (const key of keys) {
    const value = span.attributes.get(key);
    const number = typeof value === 'string' && value !== '' ? Number(value) : value;
    if (typeof number === 'number' && Number.isInteger(number)) return number;
  }
  return null;
}

function withoutQuery(path: string | null): string | null {
  if (path === null) return null;
  if (!path.startsWith('/') && /^[a-z][a-z0-9+.-]*:\/\//i.test(path)) return parseUrl(path)?.path ?? null;
  const end = path.search(/[?#]/);
  return end < 0 ? path : path.slice(0, end);
}

interface ParsedUrl {
  readonly host: string;
  readonly port: number | null;
  readonly path: string;
}

/**
 * URLs of which `URL` changes nothing: a name in lower case that is no number, a port of up to 4 digits, a path
 * without dots at the beginning of a segment and without other characters than these. They are nearly all, and a tenth of the work.
 */
const plainUrl =
  /^(https?:)\/\/((?:[a-z0-9-]+\.)*[a-z][a-z0-9-]*)(?::(\d{1,4}))?((?:\/(?!\.)[\w.~-]*)*)(?:[?#]|$)/;

function parseUrl(text: string | null): ParsedUrl | null {
  if (text === null) return null;
  const [, scheme, host, port, path] = plainUrl.exec(text) ?? [];
  if (scheme !== undefined && host !== undefined && !host.includes('xn--')) {
    return { host, port: port === undefined ? defaultPort(scheme) : Number(port), path: path || '/' };
  }
  return parseAnyUrl(text);
}

function parseAnyUrl(text: string): ParsedUrl | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.host === '') return null;
  return {
    host: url.hostname,
    port: url.port === '' ? defaultPort(url.protocol) : Number(url.port),
    path: url.pathname,
  };
}

function defaultPort(protocol: string): number | null {
  if (protocol === 'http:' || protocol === 'ws:') return 80;
  if (protocol === 'https:' || protocol === 'wss:') return 443;
  return null;
}

export function readUserAgent(span: FactSource): string | null {
  return readText(span, 'user_agent.original', 'http.user_agent');
}

export function readStatusCode(span: FactSource): number | null {
  return readAnyStatus(span) || null;
}

/** Browsers say 0 of a request that failed, or that they refused for CORS (Fetch standard, "network error"). */
const noStatus = 0;

/** Whether a browser sent no such request, or hid its answer from the page. */
export function isHiddenByBrowser(span: FactSource): boolean {
  return span.kind === 'CLIENT' && readAnyStatus(span) === noStatus;
}

function readAnyStatus(span: FactSource): number | null {
  return readNumber(span, 'http.response.status_code', 'http.status_code', 'status');
}

/** The code of gRPC, as a number or by its name, or that of another RPC system. */
export function readRpcStatus(span: FactSource): string | null {
  const named = readText(span, 'rpc.response.status_code');
  return named ?? readNumber(span, 'rpc.grpc.status_code')?.toString() ?? null;
}

export function isUnavailable(span: FactSource): boolean {
  return unavailable.includes(readRpcStatus(span) ?? '');
}

const unavailable = ['14', 'UNAVAILABLE'];

/** How a CLIENT span ended: with an answer of the called side, refused before it got there, or unknown. */
export type Outcome = 'answered' | 'unreached' | 'unknown';

/** Whether the caller itself ended a call that was not answered, as `AbortError`, `CancelledError` or gRPC's code 1. */
export function isAborted(span: Span): boolean {
  if (span.kind !== 'CLIENT' || readOutcome(span) !== 'unreached') return false;
  const code = readRpcStatus(span);
  const error = readText(span, 'error.type', 'http.error_name', 'exception') ?? '';
  return code === '1' || /abort|cancel/i.test(`${code ?? ''} ${error} ${span.status.message}`);
}

/** The status of a call that `readOutcome` calls unreached: the service, a hop or the caller's own library gave it; null where there is none. */
export function readUnreachedStatus(span: Span): string | null {
  const { protocol, statusCode } = readCallFacts(span);
  return protocol === 'rpc' ? readRpcStatus(span) : (statusCode?.toString() ?? null);
}

/** The SDKs give their own side these codes: the connection is closed, the request has timed out. */
const madeByMcpClient = ['-32000', '-32001'];

export function readOutcome(span: Span): Outcome {
  return decideOutcome(span, readCallFacts(span).protocol);
}

export function decideOutcome(span: FactSource, protocol: CallFacts['protocol']): Outcome {
  if (protocol === 'rpc') {
    const code = readRpcStatus(span);
    if (code === null) return span.status.code === 'ERROR' ? 'unreached' : 'unknown';
    // Both can be made by the caller's own side: the peer may never have seen the call.
    const madeByCaller = ['1', '4', 'CANCELLED', 'DEADLINE_EXCEEDED', ...unavailable];
    return madeByCaller.includes(code) ? 'unreached' : 'answered';
  }
  if (protocol === 'mcp') {
    const code = readText(span, 'rpc.response.status_code');
    if (span.status.code === 'ERROR' && code === null) return 'unreached';
    return code !== null && madeByMcpClient.includes(code) ? 'unreached' : 'answered';
  }
  const statusCode = readAnyStatus(span);
  if (statusCode === null) return span.status.code === 'ERROR' ? 'unreached' : 'unknown';
  if (statusCode === noStatus) return 'unreached';
  // A gateway answers these for a peer that it did not reach, and a limiter before it asks.
  return [429, 502, 503, 504].includes(statusCode) ? 'unreached' : 'answered';
}

/** Whether a path fits a route template such as `/orders/{id}`, `/orders/:id`, `/orders/<int:id>` or `/files/*`. */
export function fitsRoute(path: string, route: string): boolean {
  let start = skipSlashes(path, 0);
  for (let at = skipSlashes(route, 0); at < route.length; ) {
    const end = findSlash(route, at);
    const part = route.slice(at, end);
    if (part.includes('*')) return true;
    if (start === path.length) return false;
    const next = findSlash(path, start);
    const isSame = next - start === part.length && path.startsWith(part, start);
    if (!isSame && !/[{:<$]/.test(part)) return false;
    start = skipSlashes(path, next);
    at = skipSlashes(route, end);
  }
  return start === path.length;
}

function skipSlashes(path: string, start: number): number {
  let at = start;
  while (path[at] === '/') at += 1;
  return at;
}

/** The next slash, or the end. */
function findSlash(path: string, start: number): number {
  const slash = path.indexOf('/', start);
  return slash < 0 ? path.length : slash;
}

const probeNames = new Set(
  'health healthz healthcheck health-check health_check ready readyz readiness live livez liveness alive ping startupz metrics'.split(
    ' ',
  ),
);

/** Whether a SERVER span is a health probe or a scrape of metrics by the common names of the endpoint, or by the gRPC health service. */
export function isHealthProbe(span: Span): boolean {
  return areOfProbe(readCallFacts(span));
}

/** The same, without a view. */
export function isProbeCall(call: FactSource): boolean {
  const [path, route] = [readPath(call), readRoute(call)];
  return areOfProbe({ path, route, rpcMethod: readRpcMethod(call), mcp: readMcp(call) });
}

/** The kind of operation of a messaging span, such as `receive` or `process`. Source: semantic conventions, messaging spans, "Operation types". */
export function readOperation(call: FactSource): string | null {
  return readText(call, 'messaging.operation.type', 'messaging.operation');
}

/** A consumer that asked for messages and received none. */
export function isEmptyPoll(call: FactSource): boolean {
  return readNumber(call, 'messaging.batch.message_count') === 0;
}

/** How many messages a span is of: a batch tells its size, another span is of one. */
export function readBatchSize(call: FactSource): number {
  const size = readNumber(call, 'messaging.batch.message_count') ?? 1;
  return Number.isSafeInteger(size) && size > 1 ? size : 1;
}

function areOfProbe({
  path,
  route,
  rpcMethod,
  mcp,
}: Pick<CallFacts, 'path' | 'route' | 'rpcMethod' | 'mcp'>): boolean {
  if (mcp?.method === 'ping') return true;
  if (rpcMethod?.startsWith('grpc.health.')) return true;
  return probeNames.has(lastSegment(path ?? route ?? '').toLowerCase());
}

function lastSegment(path: string): string {
  let end = path.length;
  while (path[end - 1] === '/') end -= 1;
  return path.slice(path.lastIndexOf('/', end - 1) + 1, end);
}
