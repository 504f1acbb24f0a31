import { type CallFacts, readCallFacts } from '../calls/call-facts.ts';
import type { CallRows } from '../calls/call-group.ts';
import { findAbove } from '../graph/find-above.ts';
import type { TraceGraph } from '../graph/trace-graph.ts';
import { asHttp, tailOfPath, trimSlash } from '../pairing/compare-requests.ts';
import { isOfProxy } from '../rules/platforms.ts';
import type { Scene } from '../rules/scene.ts';
import type { Span } from '../span/span.ts';
import { nameService } from '../util/name-service.ts';

/** The spans from one of the caller to one of the callee, all of others in between, from the top. */
type Way = readonly Span[];

/**
 * Why calls that reach `server` only through services which no expectation names do not show that `client` calls it; null if there are no
 * such calls, or if one of them was handed on: a proxy in between may have spans, and is rarely named.
 */
export function describeDetour(scene: Scene, client: string, server: string): string | null {
  let first: Way | null = null;
  for (const call of scene.shared.listReached(client, server)) {
    const way = findWay(scene.graph, client, call);
    if (isHandedOn(way)) return null;
    first ??= way;
  }
  return first === null ? null : describeWay(first, client, server);
}

function findWay(graph: TraceGraph, from: string, { client, server }: CallRows): Way {
  const rows = [server];
  let at = client;
  for (; graph.serviceOf(at) !== from; at = findAbove(graph, at)) rows.push(at);
  return [at, ...rows.reverse()].map((row) => graph.view(row));
}

/** Whether all services in between are known proxies, or the callee received the request that the caller sent. */
function isHandedOn(way: Way): boolean {
  if (way.slice(1, -1).every(isOfProxy)) return true;
  const { sent, received } = readEnds(way);
  if (sent === null || received === null) return false;
  const isSameMethod = sent.method === null || received.method === null || sent.method === received.method;
  return isSameMethod && isRewritten(sent.path, received.path);
}

/** Whether a gateway may have added, removed or replaced the beginning of the path. */
function isRewritten(sent: string, received: string): boolean {
  const [outer, inner] = [trimSlash(sent), trimSlash(received)];
  return (
    outer.endsWith(inner) ||
    (outer !== '' && inner.endsWith(outer)) ||
    tailOfPath(outer) === tailOfPath(inner)
  );
}

interface Request {
  readonly method: string | null;
  readonly path: string;
}

/** What the caller sent, or the first service in between received; and what the callee received, or the last one in between sent. */
function readEnds(way: Way): { readonly sent: Request | null; readonly received: Request | null } {
  const [caller, entry, ...others] = way.map((span) => readRequest(readCallFacts(span)));
  const [callee, exit] = others.reverse();
  return { sent: caller ?? entry ?? null, received: callee ?? exit ?? null };
}

function readRequest(facts: CallFacts): Request | null {
  const { method, path } = asHttp(facts);
  return path === null ? null : { method, path };
}

function describeWay(way: Way, client: string, server: string): string {
  const between = [...new Set(way.slice(1, -1).map((span) => nameService(span.serviceName)))];
  const { sent, received } = readEnds(way);
  const became =
    sent === null || received === null ? '' : ` (${nameRequest(sent)} became ${nameRequest(received)})`;
  return (
    `no call of ${client} reaches ${server} directly, only through ${between.join(' and ')}${became}: ` +
    `expect ${[client, ...between, server].join(' -> ')} if that is meant; if ${client} calls ${server} itself, send a request that makes the call`
  );
}

function nameRequest({ method, path }: Request): string {
  return method === null ? path : `${method} ${path}`;
}
