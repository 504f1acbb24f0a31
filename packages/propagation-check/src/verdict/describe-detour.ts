import { type CallFacts, readCallFacts } from '../calls/call-facts.ts';
import { findAbove } from '../graph/find-above.ts';
import { none } from '../graph/trace-graph.ts';
import { bounds } from '../pairing/bounds.ts';
import { asHttp } from '../pairing/compare-requests.ts';
import { isInExpectation } from '../rules/expected-calls.ts';
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
  if (!scene.shared.isReachedThrough(client, server)) return null;
  let first: Way | null = null;
  for (const { servers } of scene.groupsInto(server)) {
    for (const row of servers) {
      const way = findWay(scene, client, row);
      if (way === null) continue;
      if (isHandedOn(way)) return null;
      first ??= way;
    }
  }
  return first === null ? null : describeWay(first, client, server);
}

function findWay(scene: Scene, client: string, server: number): Way | null {
  const { graph } = scene;
  const rows = new Set<number>();
  // Links may lead in a circle.
  for (let at = server; at !== none && !rows.has(at); at = findAbove(graph, at)) {
    if (rows.size === bounds.looks) return null;
    rows.add(at);
    const service = graph.serviceOf(at);
    if (at === server || !isInExpectation(scene, service)) continue;
    return service === client ? [...rows].reverse().map((row) => graph.view(row)) : null;
  }
  return null;
}

/** Whether all services in between are known proxies, or the callee received the request that the caller sent. */
function isHandedOn(way: Way): boolean {
  if (way.slice(1, -1).every(isOfProxy)) return true;
  const { sent, received } = readEnds(way);
  if (sent === null || received === null) return false;
  const isSameMethod = sent.method === null || received.method === null || sent.method === received.method;
  return isSameMethod && (sent.path.endsWith(received.path) || received.path.endsWith(sent.path));
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
