import type { Span } from '../span/span.ts';
import { mapBy } from '../util/group-by.ts';
import { rememberOf } from '../util/remember.ts';
import type { Evidence } from '../verdict/result.ts';

/** So many spans above the CLIENT span, and below the SERVER span, show where they stand. */
const mostAround = 4;

/** A broken call as reports draw it: the spans of both sides on one time axis, and the cut. */
export interface CallPicture {
  /** The caller's spans, the outermost first; the last one made the call. Empty where none is known. */
  readonly above: readonly Span[];
  /** The spans of the called side, the one that took the call first. Empty where none is known. */
  readonly below: readonly Span[];
  /** The spans of the call itself. */
  readonly sides: ReadonlySet<Span>;
  /** The place of the cut, in words. */
  readonly cut: string;
  /** The call is whole, and its context was lost before: the cut is above all spans. Otherwise it is between the two sides. */
  readonly isCutFirst: boolean;
}

interface Sides {
  readonly client: Span | null;
  readonly server: Span | null;
  /** Where the caller made no span of the call: its span during which the call was made. */
  readonly during: Span | null;
}

export type DrawCall = (evidence: Evidence) => CallPicture | null;

interface Lookup {
  readonly find: (ids: { readonly traceId: string; readonly spanId: string } | undefined) => Span | null;
  readonly childrenOf: (span: Span) => readonly Span[];
}

/** Finds the spans of calls that findings show. A call of which no span is here has no picture. */
export function prepareCalls(spans: readonly Span[]): DrawCall {
  const lookup = indexSpans(spans);
  return (evidence) => {
    const { server, during } = evidence;
    const first = lookup.find(evidence);
    if (first === null) return null;
    const called = lookup.find(server);
    const isCalled = called === null && (first.kind === 'SERVER' || first.kind === 'CONSUMER');
    return isCalled
      ? drawSides({ client: null, server: first, during: lookup.find(during) }, lookup)
      : drawSides({ client: first, server: called, during: null }, lookup);
  };
}

function indexSpans(spans: readonly Span[]): Lookup {
  const ofTrace = mapBy(spans, (span) => span.traceId);
  const byId = rememberOf(
    (traceId: string) => new Map((ofTrace.get(traceId) ?? []).map((span) => [span.spanId, span])),
  );
  const byParent = rememberOf((traceId: string) =>
    mapBy(ofTrace.get(traceId) ?? [], (span) => span.parentSpanId),
  );
  return {
    find: (ids) => (ids === undefined ? null : (byId(ids.traceId).get(ids.spanId) ?? null)),
    childrenOf: ({ traceId, spanId }) => byParent(traceId).get(spanId) ?? [],
  };
}

function drawSides(sides: Sides, lookup: Lookup): CallPicture {
  const { client, server, during } = sides;
  const lowest = client ?? during;
  return {
    above: lowest === null ? [] : [...listAncestors(lowest, lookup), lowest],
    below: server === null ? [] : [server, ...listDescendants(server, lookup)],
    sides: new Set([client, server].filter((span) => span !== null)),
    cut: nameCut(sides),
    isCutFirst: isWhole(sides),
  };
}

function isWhole({ client, server }: Sides): boolean {
  return client !== null && client.spanId === server?.parentSpanId && client.traceId === server.traceId;
}

function nameCut(sides: Sides): string {
  const { client, server, during } = sides;
  if (server === null) return 'no span of the called side has this span as its parent';
  if (isWhole(sides)) return 'the context was lost in the caller, before its span began';
  const { traceId, parentSpanId } = server;
  if (parentSpanId !== null)
    return client === null
      ? `the parent of the span below, ${parentSpanId}, is not here`
      : `the parent of the span below, ${parentSpanId}, is not the span of the call`;
  if (traceId === client?.traceId)
    return 'the parent is lost here: the span below is a second root of the trace';
  return during === null
    ? 'the context is lost here: the span below is the root of a trace of its own'
    : 'the caller made no span of the call: the span below is the root of a trace of its own';
}

/** The nearest ones, the outermost first. Ends for cycles. */
function listAncestors(span: Span, lookup: Lookup): readonly Span[] {
  const found: Span[] = [];
  let next = parentOf(span, lookup);
  while (next !== null && found.length < mostAround) {
    found.unshift(next);
    next = parentOf(next, lookup);
  }
  return found;
}

function parentOf({ traceId, parentSpanId }: Span, { find }: Lookup): Span | null {
  return parentSpanId === null ? null : find({ traceId, spanId: parentSpanId });
}

function listDescendants(span: Span, { childrenOf }: Lookup): readonly Span[] {
  const found: Span[] = [];
  const waiting = [...childrenOf(span)];
  for (let next = waiting.shift(); next !== undefined && found.length < mostAround; next = waiting.shift()) {
    if (found.includes(next)) continue;
    found.push(next);
    for (const child of childrenOf(next)) waiting.push(child);
  }
  return found;
}
