import { none, type Rows, type TraceGraph } from '../graph/trace-graph.ts';
import { discard } from '../span/byte-source.ts';
import { kindNumber, type Span, spanKinds } from '../span/span.ts';
import { type Bytes, textOf } from '../span/span-store.ts';
import { remember } from '../util/remember.ts';
import { FactsOfRows, readCallFacts } from './call-facts.ts';
import { type CallExtremes, type CallGroup, type EdgeProtocol, edgeProtocols } from './call-group.ts';
import { isOfTemporal } from './invocations.ts';
import { findMcpTransports, separateMcp } from './mcp-transport.ts';
import { readOperation } from './messaging-facts.ts';
import { prepareIsOwnRequest } from './own-request.ts';
import type { Protocol } from './protocol.ts';
import { Roots } from './roots.ts';
import { RowFacts } from './row-facts.ts';

/** Whole calls, and the sides of calls whose other side is missing. */
export interface Edges {
  /** In the order of the first call of each group. */
  readonly groups: readonly CallGroup[];
  readonly facts: RowFacts;
  /** CLIENT and PRODUCER spans of calls that no callee span continues. */
  readonly openClients: readonly Span[];
  /**
   * SERVER and CONSUMER spans that have neither a parent nor a link. A span whose links a limit dropped is not among them, nor is the request
   * that the report tells users to send.
   */
  readonly roots: Roots;
  /** Spans of any kind whose parent is not in the capture; without that request. */
  readonly orphans: readonly Span[];
}

/** Finds the calls between services. Source: OpenTelemetry specification, trace API, "SpanKind". */
export function findEdges(graph: TraceGraph): Edges {
  const facts = new RowFacts(graph.store);
  graph.keepForViews(new FactsOfRows((row) => facts.factsOf(row)));
  const { groups, isCaller } = collectCalls(graph, facts);
  const isContinued = markContinued(graph, facts, groups, isCaller);
  const linkedChildren = markLinkedChildren(graph);
  const handsOnContext = prepareHandsOnContext(graph, facts, groups);
  const openClients: number[] = [];
  // Memory pages that are never written are not allocated.
  const rootRows = new Int32Array(graph.store.size);
  let roots = 0;
  const orphans: number[] = [];
  const isOwnRequest = prepareIsOwnRequest(graph);
  for (let row = 0; row < graph.store.size; row += 1) {
    if (!graph.has(row)) continue;
    if (graph.isOrphan(row)) orphans.push(row);
    if (facts.isOutgoing(row)) {
      if (isContinued[row] === 0 && !handsOnContext(row)) openClients.push(row);
    } else if (
      graph.isRoot(row) &&
      graph.isEntry(row) &&
      !graph.mayBeLinked(row) &&
      !linkedChildren.has(row) &&
      !isOwnRequest(row)
    ) {
      rootRows[roots] = row;
      roots += 1;
    }
  }
  const found = rootRows.subarray(0, roots);
  const transports = findMcpTransports(graph, facts, found, openClients);
  return {
    groups,
    facts,
    openClients: graph.viewsOf(openClients),
    roots: Roots.from(graph, transports.size === 0 ? found : found.filter((row) => !transports.has(row))),
    orphans: graph.viewsOf(orphans),
  };
}

/** Whether a request or a message enters a service with this span: a SERVER or CONSUMER span. */
export function isEntry(span: Span): boolean {
  return span.kind === 'SERVER' || span.kind === 'CONSUMER';
}

/** Whether a callee is expected to continue the span: a PRODUCER, or a CLIENT of HTTP, RPC or MCP (not of DNS, TCP or a database). */
export function isOutgoing(span: Span): boolean {
  if (span.kind === 'PRODUCER') return true;
  const { protocol } = readCallFacts(span);
  return span.kind === 'CLIENT' && (protocol === 'http' || protocol === 'rpc' || protocol === 'mcp');
}

/** The entry span of the same service at or above a span: the request during which the span happened. */
export function findEntry(graph: TraceGraph, span: Span): Span | null {
  const top = graph.topInService(graph.rowOf(span));
  return graph.isEntry(top) ? graph.view(top) : null;
}

/** A group of calls while it is filled. */
interface Filling {
  readonly alike: Omit<CallGroup, 'clients' | 'servers' | 'extremes'>;
  readonly extremes: CallExtremes;
  clients: Rows;
  servers: Rows;
  count: number;
  /** The number of the group's earliest call, and the server of that call. */
  first: number;
  firstServer: number;
}

interface Calls {
  readonly groups: readonly CallGroup[];
  /** By row: whether it is the client of a call. */
  readonly isCaller: Bytes;
}

function collectCalls(graph: TraceGraph, facts: RowFacts): Calls {
  const { kinds, size } = graph.store;
  const filling = new Map<number, Filling>();
  const isCaller = new Uint8Array(size);
  let calls = 0;
  const add = (client: number, server: number): void => {
    const protocol = readEdgeProtocol(graph, facts, client, server);
    const services = graph.serviceNumberOf(client) * graph.serviceCount + graph.serviceNumberOf(server);
    const kind = (kinds[client] ?? 0) * spanKinds.length + (kinds[server] ?? 0);
    const edge = services * spanKinds.length ** 2 + kind;
    const key = edge * edgeProtocols.length + edgeProtocols.indexOf(protocol);
    let group = filling.get(key);
    if (group === undefined) {
      group = beginGroup(graph, client, server, protocol, calls);
      filling.set(key, group);
    }
    if (group.count === group.clients.length) {
      group.clients = doubled(group.clients);
      group.servers = doubled(group.servers);
    }
    group.clients[group.count] = client;
    group.servers[group.count] = server;
    group.count += 1;
    extend(group.extremes, graph, client, server);
    if (isCaller[client] === 1) group.extremes.isRepeated = true;
    isCaller[client] = 1;
    if (group.firstServer !== server && graph.compare(server, group.firstServer) < 0) {
      group.first = calls;
      group.firstServer = server;
    }
    calls += 1;
  };
  for (let row = 0; row < size; row += 1) {
    if (!graph.has(row)) continue;
    const parent = graph.parents[row] ?? none;
    const isCrossing = parent !== none && crosses(graph, parent, row);
    if (isCrossing) add(parent, row);
    if (!graph.hasLinks(row)) continue;
    const isOwn = findOwnMessages(graph, facts, row);
    for (const target of new Set(graph.linkTargetsOf(row))) {
      const isParent = isCrossing && target === parent;
      if (!isParent && !isOwn(target) && isHandedOver(graph, facts, target, row)) add(target, row);
    }
  }
  const groups = [...filling.values()]
    .sort((left, right) =>
      left.firstServer === right.firstServer
        ? left.first - right.first
        : graph.compare(left.firstServer, right.firstServer),
    )
    .map(({ alike, extremes, clients, servers, count }) => ({
      ...alike,
      extremes,
      // Memory pages that are never written are not allocated.
      clients: clients.subarray(0, count),
      servers: servers.subarray(0, count),
    }));
  return { groups, isCaller };
}

/** @param first The number of the call. */
function beginGroup(
  graph: TraceGraph,
  client: number,
  server: number,
  protocol: EdgeProtocol,
  first: number,
): Filling {
  const kindOf = (row: number): Span['kind'] => spanKinds[graph.store.kinds[row] ?? 0] ?? 'UNSPECIFIED';
  return {
    alike: {
      client: graph.serviceOf(client),
      server: graph.serviceOf(server),
      protocol,
      clientKind: kindOf(client),
      serverKind: kindOf(server),
    },
    extremes: {
      late: Number.NEGATIVE_INFINITY,
      apart: Number.NEGATIVE_INFINITY,
      lag: { client: Number.NEGATIVE_INFINITY, server: Number.NEGATIVE_INFINITY },
      hasDetached: false,
      isAcrossTraces: false,
      isRepeated: false,
    },
    clients: new Int32Array(4),
    servers: new Int32Array(4),
    count: 0,
    first,
    firstServer: server,
  };
}

function extend(extremes: CallExtremes, graph: TraceGraph, client: number, server: number): void {
  const { starts, ends } = graph;
  const top = graph.topInService(client);
  const began = starts[client] ?? 0;
  const ended = ends[client] ?? 0;
  const start = starts[server] ?? 0;
  // V8 allocates memory for each number that is stored in an object, so store only a new maximum.
  if (graph.isEntry(top)) {
    if (began - (ends[top] ?? 0) > extremes.late) extremes.late = began - (ends[top] ?? 0);
  } else if (isBeginning(graph, top)) extremes.hasDetached = true;
  if (graph.index.traces[client] !== graph.index.traces[server]) extremes.isAcrossTraces = true;
  const apart = Math.max(began - start, start - ended);
  if (apart > extremes.apart) extremes.apart = apart;
  const lag = (ends[server] ?? 0) - ended;
  if (-lag > extremes.lag.client) extremes.lag.client = -lag;
  if (lag > extremes.lag.server) extremes.lag.server = lag;
}

/** Whether the topmost span above a span in its service began the trace without being an entry span. */
export function isDetached(graph: TraceGraph, row: number): boolean {
  return isBeginning(graph, graph.topInService(row));
}

function isBeginning(graph: TraceGraph, top: number): boolean {
  return graph.isRoot(top) && !graph.isEntry(top) && !graph.mayBeLinked(top);
}

function doubled(rows: Rows): Rows {
  const longer = new Int32Array(rows.length * 2);
  longer.set(rows);
  discard(rows.buffer);
  return longer;
}

/**
 * Whether a link says that work went from one span to the other. A batch may be received by a CLIENT span below a loop and processed by
 * INTERNAL spans (semantic conventions, messaging spans). A message that was sent by a CLIENT span, or by hand-written propagation, links
 * to that span or to the one around it.
 */
function isHandedOver(graph: TraceGraph, facts: RowFacts, target: number, row: number): boolean {
  const { kinds } = graph.store;
  if (kinds[target] === kindNumber.producer) return true;
  if (kinds[row] !== kindNumber.consumer && !graph.isRoot(row)) return false;
  return facts.isOutgoing(target) || graph.serviceNumberOf(target) !== graph.serviceNumberOf(row);
}

/**
 * Whether a span only mentions a linked message and does not receive it: the span settles the message, or sends a message that its own
 * service created. Source: semantic conventions, messaging spans, `messaging.operation.type`.
 */
function findOwnMessages(graph: TraceGraph, facts: RowFacts, row: number): (target: number) => boolean {
  const operation = readOperation(facts.at(row));
  if (operation === 'settle') return () => true;
  if (operation !== 'send' && operation !== 'publish') return () => false;
  return (target) => graph.serviceNumberOf(target) === graph.serviceNumberOf(row);
}

/**
 * Whether a span sends messages that carry the contexts of the spans to which it links, and not its own (semantic conventions, messaging
 * spans, "Producer spans"). The linked spans are PRODUCER spans, or messages continue them.
 */
function prepareHandsOnContext(
  graph: TraceGraph,
  facts: RowFacts,
  groups: readonly CallGroup[],
): (row: number) => boolean {
  const { traces } = graph.index;
  const named = remember(() => {
    const ofMessages = groups.filter(({ protocol }) => protocol === 'messaging');
    return new Set(ofMessages.flatMap(({ clients }) => [...clients]));
  });
  return (row) => {
    if (!graph.hasLinks(row)) return false;
    const isOwn = findOwnMessages(graph, facts, row);
    return graph
      .linkTargetsOf(row)
      .some(
        (target) =>
          traces[target] === traces[row] &&
          isOwn(target) &&
          (facts.isOutgoing(target) || named().has(target)),
      );
  };
}

/** A parent and its child are two sides of a call if their kinds or flags say so, or their services differ. */
function crosses(graph: TraceGraph, parent: number, child: number): boolean {
  const { kinds } = graph.store;
  if (kinds[parent] === kindNumber.client && kinds[child] === kindNumber.server) return true;
  if (kinds[parent] === kindNumber.producer && kinds[child] === kindNumber.consumer) return true;
  // Replicas of one service call each other, and hand-made spans may have no meaningful kind.
  return graph.isParentRemote(child) || graph.serviceNumberOf(parent) !== graph.serviceNumberOf(child);
}

function readEdgeProtocol(graph: TraceGraph, facts: RowFacts, client: number, server: number): EdgeProtocol {
  const isCall = facts.isOutgoing(client);
  // A SERVER span describes the request that its service received, not a call that it made.
  const recorded =
    asEdgeProtocol(facts.protocolOf(isCall ? client : server)) ??
    asEdgeProtocol(facts.protocolOf(isCall ? server : client));
  if (recorded !== null) return recorded;
  const isRequest = isCall || graph.isEntry(server);
  return isRequest && !isOfTemporal({ name: textOf(graph.store, graph.store.names[server] ?? 0) })
    ? 'http'
    : 'internal';
}

function asEdgeProtocol(protocol: Protocol): EdgeProtocol | null {
  return protocol === 'database' || protocol === 'unknown' ? null : protocol;
}

/**
 * Marks the client spans of calls, the spans above them in their service (a span around several attempts), and other instrumentation layers
 * of the same call.
 * @param isCaller Its memory is released.
 */
function markContinued(
  graph: TraceGraph,
  facts: RowFacts,
  groups: readonly CallGroup[],
  isCaller: Bytes,
): Bytes {
  const called = new Uint8Array(graph.store.size);
  const mcp = separateMcp(graph, facts, groups);
  // In row order: the spans of one request are close together.
  for (let row = 0; row < isCaller.length; row += 1)
    if (isCaller[row] === 1) markCalled(graph, mcp, row, called);
  const { kinds } = graph.store;
  // Two instrumentation layers make nested CLIENT spans for one call; either may carry the header.
  const continued = called.slice();
  const nearest = new Int32Array(graph.store.size);
  const findOuterLayer = rememberOuterLayers(graph, facts, nearest);
  for (let row = 0; row < graph.store.size; row += 1) {
    if (!graph.has(row) || !facts.isOutgoing(row)) continue;
    const outer = findOuterLayer(row);
    if (outer === none) continue;
    // A PRODUCER above a call to the broker's API is a message of its own, not a layer of that call.
    const isMessage = kinds[outer] === kindNumber.producer && kinds[row] !== kindNumber.producer;
    if (!isMessage && !mcp?.isOuterApart(outer, row)) continued[outer] = 1;
    if (called[outer] === 1 && !mcp?.isInnerApart(outer, row)) continued[row] = 1;
  }
  for (const { buffer } of [isCaller, called, nearest]) discard(buffer);
  return continued;
}

function markCalled(
  graph: TraceGraph,
  mcp: ReturnType<typeof separateMcp>,
  client: number,
  called: Uint8Array,
): void {
  if (called[client] === 1) return;
  called[client] = 1;
  const service = graph.serviceNumberOf(client);
  for (let at = graph.upwards[client] ?? none; at !== none; at = graph.upwards[at] ?? none) {
    if (called[at] === 1 || graph.serviceNumberOf(at) !== service || graph.isEntry(at)) return;
    if (mcp?.isOuterApart(at, client)) return;
    called[at] = 1;
  }
}

/** Not searched yet; `none` means that there is no such row. */
const unknown = -2;

/**
 * Finds the outgoing span around an outgoing span of the same call. One search answers for every span that it passes.
 * @param nearest The answers by row, each minus `unknown`, so that 0 means unknown: memory pages that are never written are not allocated.
 */
function rememberOuterLayers(graph: TraceGraph, facts: RowFacts, nearest: Rows): (row: number) => number {
  const known = (row: number): number => (nearest[row] ?? 0) + unknown;
  const isOutside = (at: number, service: number): boolean =>
    at === none || graph.isEntry(at) || graph.serviceNumberOf(at) !== service;
  const findNearest = (row: number): number => {
    const service = graph.serviceNumberOf(row);
    // Nearly all calls are made directly below the request span; there is nothing to remember.
    if (isOutside(graph.upwards[row] ?? none, service)) return none;
    let at = row;
    let found = known(at);
    while (found === unknown) {
      at = graph.upwards[at] ?? none;
      found = isOutside(at, service) ? none : facts.isOutgoing(at) ? at : known(at);
    }
    for (
      let passed = row;
      known(passed) === unknown && passed !== found;
      passed = graph.upwards[passed] ?? none
    )
      nearest[passed] = found - unknown;
    return found;
  };
  return (row) => {
    const outer = findNearest(row);
    // A middleware between the two may make a call of its own to another service, for a token or a lock.
    const isLayer = outer !== none && (outer === graph.upwards[row] || isSameCall(facts, outer, row));
    return isLayer ? outer : none;
  };
}

/** Whether two nested CLIENT spans agree in every fact of their request that both record. */
function isSameCall(rows: RowFacts, outer: number, inner: number): boolean {
  const [one, other] = [rows.factsOf(outer), rows.factsOf(inner)];
  const facts = ['host', 'port', 'method', 'path', 'rpcMethod', 'destination'] as const;
  return facts.every((fact) => one[fact] === null || other[fact] === null || one[fact] === other[fact]);
}

/** CONSUMER spans with children that have links: a "receive" span may have no link while the "process" span below it has one. */
function markLinkedChildren(graph: TraceGraph): ReadonlySet<number> {
  const parents = new Set<number>();
  for (const row of graph.rowsWithLinks()) {
    const parent = graph.has(row) ? (graph.parents[row] ?? none) : none;
    if (parent !== none && graph.store.kinds[parent] === kindNumber.consumer) parents.add(parent);
  }
  return parents;
}
