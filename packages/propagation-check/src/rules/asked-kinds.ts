import { readAddress } from '../calls/address.ts';
import { readCallFacts } from '../calls/call-facts.ts';
import type { CallGroup } from '../calls/call-group.ts';
import { withoutIds } from '../calls/endpoint.ts';
import { fitsRoute } from '../calls/fits-route.ts';
import { readMethod, readPath, readRoute, readStatusCode } from '../calls/http-facts.ts';
import type { RowSource } from '../calls/row-facts.ts';
import { readRpcMethod } from '../calls/rpc-facts.ts';
import { none } from '../graph/trace-graph.ts';
import { bounds } from '../pairing/bounds.ts';
import type { Span } from '../span/span.ts';
import { keyFor } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import type { Scene } from './scene.ts';

/** The requests of whole calls to one target by one method. */
interface RequestKinds {
  calls: number;
  readonly rpcMethods: Set<string | null>;
  readonly routes: Set<string>;
  /** The exact paths if the called service knows its routes, otherwise paths without ids. Reads every call of the edge. */
  readonly paths: () => ReadonlySet<string>;
}

/** What the whole calls of one edge asked of some targets, and the status codes of their answers. */
interface Asked {
  readonly kinds: ReadonlyMap<string, RequestKinds>;
  readonly statusCodes: ReadonlySet<number | null>;
}

/** Facts of calls, by their rows. */
interface Readers {
  readonly routeOf: (row: number) => string | null;
  readonly askedOf: (row: number) => ReturnType<typeof readAsked>;
  readonly pathOf: (row: number) => string | null;
}

export function readersOf({ facts }: Scene): Readers {
  return {
    routeOf: facts.remember(readRoute),
    askedOf: facts.remember(readAsked),
    pathOf: (row) => readPath(facts.at(row)),
  };
}

export function summarizeCalls(
  readers: Readers,
  groups: readonly CallGroup[],
  targets: ReadonlySet<string>,
): Asked {
  const pathsOf = remember(() => listPaths(readers, groups, targets));
  const asked = { kinds: new Map<string, RequestKinds>(), statusCodes: new Set<number | null>() };
  const kindsOf = (target: string): RequestKinds | null => {
    if (!targets.has(target)) return null;
    const kinds = asked.kinds.get(target) ?? {
      ...{ calls: 0, rpcMethods: new Set(), routes: new Set() },
      paths: () => pathsOf().get(target) ?? new Set(),
    };
    asked.kinds.set(target, kinds);
    return kinds;
  };
  for (const group of groups) addCalls(asked.statusCodes, readers, group, kindsOf);
  return asked;
}

/** A function of its own, so that V8 compiles the loop once and not once for each edge. */
function addCalls(
  statusCodes: Set<number | null>,
  { routeOf, askedOf }: Readers,
  { clients, servers }: CallGroup,
  kindsOf: (target: string) => RequestKinds | null,
): void {
  let last: ReturnType<typeof readAsked> | null = null;
  let known: RequestKinds | null = null;
  for (let at = 0; at < clients.length; at += 1) {
    const asked = askedOf(clients[at] ?? none);
    // `readAsked` returns the same object for equal calls, and most calls of an edge are equal.
    if (asked !== last) {
      last = asked;
      statusCodes.add(asked.statusCode);
      known = kindsOf(asked.target);
      known?.rpcMethods.add(asked.rpcMethod);
    }
    if (known === null) continue;
    known.calls += 1;
    const route = routeOf(servers[at] ?? none);
    if (route !== null && known.routes.size < bounds.routes) known.routes.add(route);
  }
}

function listPaths(
  { routeOf, askedOf, pathOf }: Readers,
  groups: readonly CallGroup[],
  targets: ReadonlySet<string>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const paths = new Map([...targets].map((target) => [target, new Set<string>()]));
  for (const { clients, servers } of groups) {
    for (let at = 0; at < clients.length; at += 1) {
      const client = clients[at] ?? none;
      const ofTarget = paths.get(askedOf(client).target);
      if (ofTarget === undefined) continue;
      const path = pathOf(client);
      if (path !== null) ofTarget.add(routeOf(servers[at] ?? none) === null ? withoutIds(path) : path);
    }
  }
  return paths;
}

/** The target, RPC method and status code of a call: attributes with few distinct values. */
function readAsked(call: RowSource) {
  const { protocol } = call;
  const rpcMethod = protocol === 'http' ? null : readRpcMethod(call);
  const { host, port } = readAddress(call);
  return {
    // RPC calls have a method of their own.
    target: keyFor(protocol, host, port, rpcMethod === null ? readMethod(call) : null),
    rpcMethod,
    statusCode: readStatusCode(call),
  };
}

/** Whether a span asks for the same RPC method or route as a whole call to its target. */
export function isOfTheirKind({ rpcMethods, routes, paths }: RequestKinds, span: Span): boolean {
  const { path, rpcMethod } = readCallFacts(span);
  if (rpcMethod !== null) return rpcMethods.has(rpcMethod);
  if (path === null) return false;
  for (const route of routes) if (fitsRoute(path, route)) return true;
  return paths().has(path) || paths().has(withoutIds(path));
}

/** The lowest status code that is not a success (RFC 9110, section 15). */
const firstRedirect = 300;

/** A redirect or error that the called service gave in no whole call may come from a gateway in front of it. */
export function isAnsweredByHop(span: Span, { statusCodes }: Asked): boolean {
  const { statusCode } = readCallFacts(span);
  return (statusCode ?? 0) >= firstRedirect && !statusCodes.has(statusCode);
}
