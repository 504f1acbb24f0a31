import type { Span } from '../span/span.ts';

/**
 * What a span says of the call that it belongs to, in the attribute names of every generation of the
 * semantic conventions (HTTP before and after 1.23, RPC before and after its stabilisation, messaging), and of
 * Micrometer's observations (Spring).
 */
export interface CallFacts {
  readonly protocol: 'http' | 'rpc' | 'messaging' | 'database' | 'unknown';
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
  /** What the broker or the sender calls the message: equal on both sides. */
  readonly messageId: string | null;
  /** HTTP status code. */
  readonly statusCode: number | null;
  readonly userAgent: string | null;
}

const known = new WeakMap<Span, CallFacts>();

export function readCallFacts(span: Span): CallFacts {
  const cached = known.get(span);
  if (cached !== undefined) return cached;
  const facts = readFacts(span);
  known.set(span, facts);
  return facts;
}

function readFacts(span: Span): CallFacts {
  const url = parseUrl(readText(span, 'url.full', 'http.url'));
  const address = splitAddress(
    readText(span, 'server.address', span.kind === 'SERVER' ? 'net.host.name' : 'net.peer.name'),
  );
  const target = readText(span, 'url.path', 'http.target', 'http.path');
  return {
    protocol: readProtocol(span),
    method: readText(span, 'http.request.method', 'http.method', 'method')?.toUpperCase() ?? null,
    path: withoutQuery(target) ?? url?.path ?? readPathOfUrl(span),
    route: readText(span, 'http.route') ?? readRouteOfName(span),
    host: address?.host ?? url?.host ?? null,
    port: readPort(span) ?? url?.port ?? address?.port ?? null,
    rpcMethod: readRpcMethod(span),
    destination: readText(
      span,
      'messaging.destination.name',
      'messaging.destination',
      'messaging.source.name',
    ),
    messageId: readText(span, 'messaging.message.id', 'messaging.message_id'),
    statusCode: readNumber(span, 'http.response.status_code', 'http.status_code', 'status'),
    userAgent: readText(span, 'user_agent.original', 'http.user_agent'),
  };
}

function readProtocol(span: Span): CallFacts['protocol'] {
  if (hasAny(span, 'db.system.name', 'db.system', 'db.statement', 'db.query.text')) return 'database';
  if (span.kind === 'PRODUCER' || span.kind === 'CONSUMER' || hasAny(span, 'messaging.system'))
    return 'messaging';
  if (hasAny(span, 'rpc.system.name', 'rpc.system', 'rpc.service', 'rpc.method')) return 'rpc';
  if (readOpenTracingRpc(span) !== null) return 'rpc';
  if (
    hasAny(
      span,
      'http.request.method',
      'http.method',
      'url.full',
      'http.url',
      'http.response.status_code',
      'http.status_code',
      'http.route',
      'http.target',
    )
  ) {
    return 'http';
  }
  return readTrigger(span);
}

/** Functions tell what called them (semantic conventions, FaaS spans, "faas.trigger"). */
function readTrigger(span: Span): CallFacts['protocol'] {
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

function readPort(span: Span): number | null {
  const own = span.kind === 'SERVER' ? ['net.host.port'] : ['net.peer.port'];
  return readNumber(span, 'server.port', ...own);
}

function readRpcMethod(span: Span): string | null {
  const method = readText(span, 'rpc.method');
  if (method?.includes('/')) return method.replace(/^\/+/, '');
  const service = readText(span, 'rpc.service');
  return service !== null && method !== null ? `${service}/${method}` : readOpenTracingRpc(span);
}

/** OpenTracing's gRPC instrumentations say `component=gRPC`, and the operation is the full method on both sides. */
function readOpenTracingRpc(span: Span): string | null {
  if (readText(span, 'component')?.toLowerCase() !== 'grpc') return null;
  return /^\/?([\w.]+\/\w+)$/.exec(span.name)?.[1] ?? null;
}

/**
 * SERVER spans are named `{method} {route}` where the route is known (semantic conventions, HTTP spans, "Name"),
 * and `http {method} {route}` by Micrometer.
 */
function readRouteOfName(span: Span): string | null {
  return span.kind === 'SERVER' ? (/^(?:http )?[a-z]+ (\/\S*)$/i.exec(span.name)?.[1] ?? null) : null;
}

/** Micrometer's servers write the path alone where a URL belongs. */
function readPathOfUrl(span: Span): string | null {
  const url = readText(span, 'http.url');
  return url?.startsWith('/') ? withoutQuery(url) : null;
}

function hasAny(span: Span, ...keys: readonly string[]): boolean {
  return keys.some((key) => span.attributes.has(key));
}

/** The first of the attributes that is a text and not empty. */
export function readText(span: Span, ...keys: readonly string[]): string | null {
  for (const key of keys) {
    const value = span.attributes.get(key);
    if (typeof value === 'string' && value !== '') return value;
  }
  return null;
}

function readNumber(span: Span, ...keys: readonly string[]): number | null {
  for (const key of keys) {
    const value = span.attributes.get(key);
    const number = typeof value === 'string' && value !== '' ? Number(value) : value;
    if (typeof number === 'number' && Number.isInteger(number)) return number;
  }
  return null;
}

function withoutQuery(path: string | null): string | null {
  if (path === null) return null;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(path)) return parseUrl(path)?.path ?? null;
  return path.split(/[?#]/, 1)[0] ?? null;
}

function parseUrl(text: string | null): { host: string; port: number | null; path: string } | null {
  if (text === null || !URL.canParse(text)) return null;
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

/** How a CLIENT span ended: with an answer of the called side, refused before it got there, or unknown. */
export function readOutcome(span: Span): 'answered' | 'unreached' | 'unknown' {
  const facts = readCallFacts(span);
  if (facts.protocol === 'rpc') {
    const code = readText(span, 'rpc.response.status_code') ?? readNumber(span, 'rpc.grpc.status_code');
    if (code === null) return span.status.code === 'ERROR' ? 'unreached' : 'unknown';
    // Both can be made by the caller's own side: the peer may never have seen the call.
    const madeByCaller = ['1', '4', '14', 'CANCELLED', 'DEADLINE_EXCEEDED', 'UNAVAILABLE'];
    return madeByCaller.includes(String(code)) ? 'unreached' : 'answered';
  }
  if (facts.statusCode === null) return span.status.code === 'ERROR' ? 'unreached' : 'unknown';
  // A gateway answers these for a peer that it did not reach, and a limiter before it asks.
  return [429, 502, 503, 504].includes(facts.statusCode) ? 'unreached' : 'answered';
}

/** Whether a path fits a route template such as `/orders/{id}`, `/orders/:id`, `/orders/<int:id>` or `/files/*`. */
export function fitsRoute(path: string, route: string): boolean {
  const segments = path.split('/').filter((part) => part !== '');
  const pattern = route.split('/').filter((part) => part !== '');
  for (const [index, part] of pattern.entries()) {
    if (part.includes('*')) return true;
    const segment = segments[index];
    if (segment === undefined) return false;
    if (!/[{:<$]/.test(part) && part !== segment) return false;
  }
  return segments.length === pattern.length;
}

const probeNames = new Set(
  'health healthz healthcheck health-check health_check ready readyz readiness live livez liveness alive ping startupz metrics'.split(
    ' ',
  ),
);

/** Whether a SERVER span is a health probe or a scrape of metrics by the common names of the endpoint, or by the gRPC health service. */
export function isHealthProbe(span: Span): boolean {
  const { path, route, rpcMethod } = readCallFacts(span);
  if (rpcMethod?.startsWith('grpc.health.')) return true;
  const endpoint = (path ?? route ?? '').replace(/\/+$/, '').split('/').at(-1);
  return endpoint !== undefined && probeNames.has(endpoint.toLowerCase());
}
