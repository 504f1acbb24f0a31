import { separateSharedSpans } from '../span/shared-span-ids.ts';
import { isParentRemote, type Span } from '../span/span.ts';

/** All spans of a check, each once, with their relations. Pure data; built in one pass. */
export interface TraceGraph {
  /** Each span once, by start time. */
  readonly spans: readonly Span[];
  /** Number of distinct trace ids. */
  readonly traceCount: number;
  /** The parent, or null for a root and for an orphan. Found across a trace id cut to 64 bits too. */
  parentOf(span: Span): Span | null;
  childrenOf(span: Span): readonly Span[];
  /** The spans that a span links to and that are in the data. */
  linkTargetsOf(span: Span): readonly Span[];
  /** The spans that link to a span. */
  linkSourcesOf(span: Span): readonly Span[];
}

/**
 * Relates spans by trace id and span id.
 * A span that arrived twice counts once: exporters retry, and several traces may be read in overlapping answers.
 */
export function buildTraceGraph(received: readonly Span[]): TraceGraph {
  const byKey = new Map<string, Span>();
  // The Collector and Jaeger hand Zipkin's shared ids on as they are.
  const separate = separateSharedSpans(received.map((span) => ({ span, isShared: false })));
  for (const span of separate) byKey.set(keyOf(span), chooseOne(byKey.get(keyOf(span)), span));
  const spans = [...byKey.values()].sort(byStart);

  const byShortKey = new Map<string, Span>();
  for (const span of spans) byShortKey.set(`${span.traceId.slice(-16)}:${span.spanId}`, span);

  const parents = new Map<Span, Span>();
  const children = new Map<Span, Span[]>();
  const linkTargets = new Map<Span, Span[]>();
  const linkSources = new Map<Span, Span[]>();
  for (const span of spans) {
    const parent = findParent(span, byKey, byShortKey);
    if (parent !== null) {
      parents.set(span, parent);
      append(children, parent, span);
    }
    for (const link of span.links) {
      const target = byKey.get(`${link.traceId}:${link.spanId}`);
      if (target === undefined || target === span) continue;
      append(linkTargets, span, target);
      append(linkSources, target, span);
    }
  }
  return {
    spans,
    traceCount: new Set(spans.map((span) => span.traceId)).size,
    parentOf: (span) => parents.get(span) ?? null,
    childrenOf: (span) => children.get(span) ?? [],
    linkTargetsOf: (span) => linkTargets.get(span) ?? [],
    linkSourcesOf: (span) => linkSources.get(span) ?? [],
  };
}

export function keyOf(span: Span): string {
  return `${span.traceId}:${span.spanId}`;
}

/** From the parent upwards. Ends at a root, at an orphan, or where hostile data close a circle. */
export function* ancestorsOf(graph: TraceGraph, span: Span): Generator<Span> {
  const seen = new Set<Span>([span]);
  for (let at = graph.parentOf(span); at !== null && !seen.has(at); at = graph.parentOf(at)) {
    seen.add(at);
    yield at;
  }
}

/** Whether `upper` is among the ancestors of a span. */
export function isBelow(graph: TraceGraph, span: Span, upper: Span): boolean {
  for (const ancestor of ancestorsOf(graph, span)) if (ancestor === upper) return true;
  return false;
}

const tops = new WeakMap<TraceGraph, Map<Span, Span>>();

/** The topmost span above (or at) a span that is in the data. */
export function findTop(graph: TraceGraph, span: Span): Span {
  const known = tops.get(graph) ?? new Map<Span, Span>();
  tops.set(graph, known);
  const passed = [span];
  let top = known.get(span) ?? span;
  if (top === span) {
    for (const ancestor of ancestorsOf(graph, span)) {
      top = known.get(ancestor) ?? ancestor;
      if (top !== ancestor) break;
      passed.push(ancestor);
    }
  }
  for (const each of passed) known.set(each, top);
  return top;
}

/** Whether the span names a parent that is nowhere in the data. */
export function isOrphan(graph: TraceGraph, span: Span): boolean {
  return span.parentSpanId !== null && graph.parentOf(span) === null;
}

/**
 * Whether the missing parent may be of the caller. Flags that say that it is of the span's own process say as well that
 * telemetry was lost there, and no propagation.
 */
export function isCallerMissing(graph: TraceGraph, span: Span): boolean {
  return isOrphan(graph, span) && isParentRemote(span) !== false;
}

export function isRoot(span: Span): boolean {
  return span.parentSpanId === null;
}

/** Of two different spans with one id the longer; the choice must not depend on which came first. */
function chooseOne(known: Span | undefined, span: Span): Span {
  if (known === undefined || known === span) return span;
  const rank = (one: Span): readonly [bigint, string] => [
    one.endTimeUnixNano - one.startTimeUnixNano,
    `${one.kind} ${one.name} ${one.serviceName} ${one.parentSpanId} ${one.startTimeUnixNano}`,
  ];
  const [knownRank, spanRank] = [rank(known), rank(span)];
  if (knownRank[0] !== spanRank[0]) return knownRank[0] > spanRank[0] ? known : span;
  return knownRank[1] >= spanRank[1] ? known : span;
}

function findParent(
  span: Span,
  byKey: ReadonlyMap<string, Span>,
  byShortKey: ReadonlyMap<string, Span>,
): Span | null {
  if (span.parentSpanId === null || span.parentSpanId === span.spanId) return null;
  const exact = byKey.get(`${span.traceId}:${span.parentSpanId}`);
  if (exact !== undefined) return exact;
  const short = byShortKey.get(`${span.traceId.slice(-16)}:${span.parentSpanId}`);
  if (short === undefined) return null;
  const isSame = withoutPadding(span.traceId) === withoutPadding(short.traceId);
  return isSame || isTruncationOf(span.traceId, short.traceId) ? short : null;
}

/** Whether one of two trace ids is the other, cut to its last 16 digits; zeros in front make no other id. */
export function isTruncationOf(left: string, right: string): boolean {
  const [one, other] = [withoutPadding(left), withoutPadding(right)];
  return one !== other && (one.endsWith(other) || other.endsWith(one));
}

function withoutPadding(traceId: string): string {
  return traceId.length === 32 && traceId.startsWith('0'.repeat(16)) ? traceId.slice(16) : traceId;
}

function byStart(left: Span, right: Span): number {
  if (left.startTimeUnixNano !== right.startTimeUnixNano) {
    return left.startTimeUnixNano < right.startTimeUnixNano ? -1 : 1;
  }
  return keyOf(left) < keyOf(right) ? -1 : 1;
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
