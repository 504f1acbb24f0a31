import { ancestorsOf, isOrphan, isRoot, type TraceGraph } from '../graph/trace-graph.ts';
import { isParentRemote, type Span } from '../span/span.ts';
import { readCallFacts } from './call-facts.ts';

export type EdgeProtocol = 'http' | 'rpc' | 'messaging' | 'internal';

/** One call whose two sides are connected, by parent or by link. */
export interface Call {
  /** The span that the header named: a CLIENT or PRODUCER, or any span of the caller in hand-made propagation. */
  readonly client: Span;
  readonly server: Span;
  readonly protocol: EdgeProtocol;
}

/** Calls that are whole, and the sides of calls that are not. */
export interface Edges {
  readonly calls: readonly Call[];
  /** CLIENT and PRODUCER spans of calls that nobody continued. */
  readonly openClients: readonly Span[];
  /** SERVER and CONSUMER spans without parent and without link. */
  readonly rootServers: readonly Span[];
  /** Spans of any kind whose parent is nowhere in the data. */
  readonly orphans: readonly Span[];
}

/** Finds each edge between services, source: OpenTelemetry specification, trace API, "SpanKind". */
export function findEdges(graph: TraceGraph): Edges {
  const calls = graph.spans.flatMap((span) => findCallsInto(graph, span));
  const continued = findContinued(graph, calls);
  const outerOf = findOuterLayers(graph);
  const outer = new Set(
    [...outerOf].filter(([inner, around]) => isLayer(inner, around)).map(([, around]) => around),
  );
  return {
    calls,
    openClients: graph.spans.filter(
      (span) => isOutgoing(span) && !isContinued(span, continued, outerOf, outer),
    ),
    rootServers: graph.spans.filter(
      (span) => isEntry(span) && isRoot(span) && span.links.length === 0 && !hasLinkedChild(graph, span),
    ),
    orphans: graph.spans.filter((span) => isOrphan(graph, span)),
  };
}

/** SERVER and CONSUMER spans: where a request or a message enters a service. */
export function isEntry(span: Span): boolean {
  return span.kind === 'SERVER' || span.kind === 'CONSUMER';
}

/** Whether somebody is expected to continue the span: an HTTP or RPC CLIENT (not DNS, TCP, databases), or a PRODUCER. */
export function isOutgoing(span: Span): boolean {
  if (span.kind === 'PRODUCER') return true;
  const { protocol } = readCallFacts(span);
  return span.kind === 'CLIENT' && (protocol === 'http' || protocol === 'rpc');
}

/** The entry span of the same service above (or at) a span: the request during which it happened. */
export function findEntry(graph: TraceGraph, span: Span): Span | null {
  const top = findTopInService(graph, span);
  return isEntry(top) ? top : null;
}

const tops = new WeakMap<TraceGraph, Map<Span, Span>>();

/** What led to a span, as far up as its service goes: an entry, a root, an orphan, or a child of another service. */
export function findTopInService(graph: TraceGraph, span: Span): Span {
  const known = tops.get(graph) ?? new Map<Span, Span>();
  tops.set(graph, known);
  const passed: Span[] = [];
  let at = span;
  for (const ancestor of upwards(graph, span)) {
    at = known.get(ancestor) ?? ancestor;
    if (at !== ancestor) break;
    passed.push(ancestor);
  }
  for (const each of passed) known.set(each, at);
  return at;
}

function* upwards(graph: TraceGraph, span: Span): Generator<Span> {
  yield span;
  if (isEntry(span)) return;
  for (const ancestor of ancestorsOf(graph, span)) {
    if (ancestor.serviceName !== span.serviceName) return;
    yield ancestor;
    if (isEntry(ancestor)) return;
  }
}

function findCallsInto(graph: TraceGraph, span: Span): readonly Call[] {
  const parent = graph.parentOf(span);
  const linked = graph.linkTargetsOf(span).filter((target) => isHandedOver(target, span));
  const clients = new Set([...(parent !== null && crosses(parent, span) ? [parent] : []), ...linked]);
  return [...clients].map((client) => ({ client, server: span, protocol: readEdgeProtocol(client, span) }));
}

/**
 * Whether a link says that work went from one span to the other. A batch may be received by a CLIENT span below a loop,
 * and worked off by INTERNAL spans (semantic conventions, messaging spans); what is sent by a CLIENT span, or by hand,
 * names that span or the one around it.
 */
function isHandedOver(target: Span, span: Span): boolean {
  if (target.kind === 'PRODUCER') return true;
  if (span.kind !== 'CONSUMER' && !isRoot(span)) return false;
  return isOutgoing(target) || target.serviceName !== span.serviceName;
}

/** A span and its child stand on two sides of a call when kinds or flags say so, or the services differ. */
function crosses(parent: Span, child: Span): boolean {
  if (parent.kind === 'CLIENT' && child.kind === 'SERVER') return true;
  if (parent.kind === 'PRODUCER' && child.kind === 'CONSUMER') return true;
  // Replicas of one service call each other, and spans made by hand have no kind that tells.
  if (isParentRemote(child) === true) return true;
  return parent.serviceName !== child.serviceName;
}

function readEdgeProtocol(client: Span, server: Span): EdgeProtocol {
  for (const span of [client, server]) {
    const { protocol } = readCallFacts(span);
    if (protocol === 'http' || protocol === 'rpc' || protocol === 'messaging') return protocol;
  }
  return isOutgoing(client) || isEntry(server) ? 'http' : 'internal';
}

/** The callers' spans and what they hang under in their service: an attempt, or one of two instrumented layers. */
function findContinued(graph: TraceGraph, calls: readonly Call[]): ReadonlySet<Span> {
  const continued = new Set<Span>();
  for (const { client } of calls) {
    if (continued.has(client)) continue;
    continued.add(client);
    for (const ancestor of ancestorsOf(graph, client)) {
      if (ancestor.serviceName !== client.serviceName || isEntry(ancestor) || continued.has(ancestor)) break;
      continued.add(ancestor);
    }
  }
  return continued;
}

/** A PRODUCER above the call to the broker's API is a message of its own, and no layer of that call. */
function isLayer(inner: Span, around: Span): boolean {
  return around.kind !== 'PRODUCER' || inner.kind === 'PRODUCER';
}

/** Two instrumented layers make nested CLIENT spans for one call; either may carry the header. */
function isContinued(
  span: Span,
  continued: ReadonlySet<Span>,
  outerOf: ReadonlyMap<Span, Span>,
  outer: ReadonlySet<Span>,
): boolean {
  if (continued.has(span) || outer.has(span)) return true;
  const around = outerOf.get(span);
  return around !== undefined && continued.has(around);
}

/** So many INTERNAL spans may stand between two instrumented layers of one call. */
const maxBetweenLayers = 8;

/** For each outgoing span the one around it that tells of the same call. */
function findOuterLayers(graph: TraceGraph): ReadonlyMap<Span, Span> {
  return new Map(
    graph.spans.filter(isOutgoing).flatMap((span) => {
      const outer = findOuterLayer(graph, span);
      return outer === null ? [] : [[span, outer] as const];
    }),
  );
}

function findOuterLayer(graph: TraceGraph, span: Span): Span | null {
  let between = 0;
  for (const ancestor of ancestorsOf(graph, span)) {
    if (ancestor.serviceName !== span.serviceName || isEntry(ancestor)) return null;
    // What a middleware in between calls may be another service: a token, a lock.
    if (isOutgoing(ancestor)) return between === 0 || isSameCall(ancestor, span) ? ancestor : null;
    between += 1;
    if (between > maxBetweenLayers) return null;
  }
  return null;
}

/** Whether nothing that two nested CLIENT spans say of their request differs. */
function isSameCall(outer: Span, inner: Span): boolean {
  const [one, other] = [readCallFacts(outer), readCallFacts(inner)];
  const facts = ['host', 'port', 'method', 'path', 'rpcMethod', 'destination'] as const;
  return facts.every((fact) => one[fact] === null || other[fact] === null || one[fact] === other[fact]);
}

/** A "receive" span may carry no link while the "process" span below it does. */
function hasLinkedChild(graph: TraceGraph, span: Span): boolean {
  return span.kind === 'CONSUMER' && graph.childrenOf(span).some((child) => child.links.length > 0);
}
