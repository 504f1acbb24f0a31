import { type CallFacts, type McpFacts, readCallFacts } from '../calls/call-facts.ts';
import { fitsRoute } from '../calls/fits-route.ts';
import { isInside } from '../calls/inside.ts';
import { isFromProbe } from '../calls/probes.ts';
import { isUnconnected } from '../calls/unconnected.ts';
import type { Span } from '../span/span.ts';

type Likeness = 'yes' | 'no' | 'unknown';

/**
 * Whether a CLIENT and a SERVER span may describe the same request. `yes` needs a fact that identifies the request (path, RPC method,
 * port), so that messages never get it; `no` needs a contradiction.
 */
export function compareRequests(client: Span, server: Span): Likeness {
  const likeness = compareFacts(client, server);
  return likeness !== 'no' && isUnconnected(client) ? 'no' : likeness;
}

function compareFacts(client: Span, server: Span): Likeness {
  const sent = readCallFacts(client);
  const received = readCallFacts(server);
  const out = asProtocolOf(received, sent);
  const into = asProtocolOf(sent, received);
  // A service without MCP instrumentation records the HTTP request that carries the call (MCP specification, "Transports").
  if (out.mcp !== null && into.protocol === 'http') return into.method === 'POST' ? 'unknown' : 'no';
  if (out.protocol !== into.protocol) return 'no';
  if (out.method !== null && into.method !== null && out.method !== into.method) return 'no';
  if (out.userAgent !== null && into.userAgent !== null && out.userAgent !== into.userAgent) return 'no';
  if (isFromProbe(into) && !isFromProbe(out)) return 'no';
  if (out.statusCode === null || into.statusCode === null || out.statusCode === into.statusCode)
    return compareTargets(client, server, out, into);
  // A hop may answer with another 2xx status than it received. Any other difference excludes the pair: a gateway that sets the status
  // itself reached no server.
  if (!isSuccess(out.statusCode) || !isSuccess(into.statusCode)) return 'no';
  return compareTargets(client, server, out, into) === 'no' ? 'no' : 'unknown';
}

/** Source: RFC 9110, section 15.3. */
const [firstSuccess, firstRedirect] = [200, 300];

export function isSuccess(statusCode: number): boolean {
  return statusCode >= firstSuccess && statusCode < firstRedirect;
}

function compareTargets(client: Span, server: Span, out: CallFacts, into: CallFacts): Likeness {
  if (out.mcp !== null && into.mcp !== null) return compareMcp(out.mcp, into.mcp);
  if (out.protocol === 'rpc') {
    if (out.rpcMethod !== null && into.rpcMethod !== null)
      return out.rpcMethod === into.rpcMethod ? 'yes' : 'no';
    return client.name === server.name ? 'yes' : 'unknown';
  }
  // All messages of a broker share its port, and all messages of a queue share its path.
  if (out.protocol === 'messaging') return 'unknown';
  const samePort = out.port !== null && out.port === into.port;
  if (out.path === null) return samePort ? 'yes' : 'unknown';
  if (into.path !== null) {
    const called = trimSlash(out.path);
    const asked = trimSlash(into.path);
    if (called === asked) return 'yes';
    // A gateway may add or remove a path prefix.
    if (!out.path.endsWith(into.path) && !into.path.endsWith(out.path)) return 'no';
    // A third party's path may end as that of a service in the capture.
    const isOfOwnHost = out.host === null || isInside(out.host);
    return isOfOwnHost && tailOfPath(called) === tailOfPath(asked) ? 'yes' : 'unknown';
  }
  if (into.route !== null) return fitsRoute(out.path, into.route) ? 'yes' : 'unknown';
  return samePort ? 'yes' : 'unknown';
}

/** A request id is unique within its session; over stdio a session has no id. */
function compareMcp(out: McpFacts, into: McpFacts): 'yes' | 'no' {
  const facts = ['method', 'target', 'requestId', 'sessionId'] as const;
  return facts.every((fact) => out[fact] === null || into[fact] === null || out[fact] === into[fact])
    ? 'yes'
    : 'no';
}

/**
 * HTTP instrumentations record a gRPC call as a POST to `/package.Service/Method` (gRPC over HTTP/2, "Requests"). If one side does, both
 * are compared as HTTP.
 */
function asProtocolOf(other: CallFacts, facts: CallFacts): CallFacts {
  return facts.protocol === 'rpc' && other.protocol === 'http' ? asHttp(facts) : facts;
}

export function asHttp(facts: CallFacts): CallFacts {
  if (facts.rpcMethod === null) return facts;
  return { ...facts, protocol: 'http', method: 'POST', path: pathOfRpc(facts.rpcMethod) };
}

export function pathOfRpc(rpcMethod: string): string {
  return `/${rpcMethod}`;
}

/** Whether two SERVER spans may describe one request that a hop forwarded, by their paths if both have one. */
export function isSamePath(outer: Span, inner: Span): boolean {
  const [one, other] = [readCallFacts(outer), readCallFacts(inner)];
  if (one.protocol !== other.protocol) return false;
  if (one.path === null || other.path === null) return one.rpcMethod === other.rpcMethod;
  // A gateway may add or remove a path prefix.
  return one.path.endsWith(other.path) || other.path.endsWith(one.path);
}

/** Whether the client called this server by host or port; true where the spans do not say. */
export function isAddressedTo(client: Span, server: Span): boolean {
  const [out, into] = [readCallFacts(client), readCallFacts(server)];
  const known = [
    ...(out.host !== null && into.host !== null ? [out.host === into.host] : []),
    ...(out.port !== null && into.port !== null ? [out.port === into.port] : []),
  ];
  return known.length === 0 || known.includes(true);
}

export function trimSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

/**
 * The last two segments of a path, such as `/items/3`; a single segment such as `/health` is common to many services. A shorter path is
 * returned whole.
 */
export function tailOfPath(path: string): string {
  return path.slice(Math.max(0, path.lastIndexOf('/', path.lastIndexOf('/') - 1)));
}
