import type { CutPlace } from '../rules/define-finding.ts';
import type { FindingId } from '../rules/finding.ts';
import { findings } from '../rules/findings.ts';
import type { Span } from '../span/span.ts';
import { mapBy } from '../util/group-by.ts';
import { rememberOf } from '../util/remember.ts';
import type { Evidence } from '../verdict/result.ts';
import { labelService } from './terminal-edges.ts';

/** How many ancestors of the CLIENT span and descendants of the SERVER span are drawn. */
const mostAround = 4;
const lostBefore = 'the context was lost before this trace began';

/** A call as reports draw it: the spans of both sides on one time axis, with a cut where the finding is a break between spans. */
export interface CallPicture {
  /** The spans above the cut, the outermost first. Empty where none is known, or there is no cut. */
  readonly above: readonly Span[];
  /** The spans below the cut; all spans where there is no cut. */
  readonly below: readonly Span[];
  /** The spans of the call itself. */
  readonly sides: ReadonlySet<Span>;
  /** The text at the cut, which says what is wrong. Null where the finding is not a break between spans. */
  readonly cut: string | null;
}

interface Sides {
  readonly client: Span | null;
  readonly server: Span | null;
  /** The span of the caller during which the call was made, where the caller made no CLIENT span. */
  readonly during: Span | null;
}

export type DrawCall = (id: FindingId, evidence: Evidence) => CallPicture | null;

interface Lookup {
  readonly find: (ids: { readonly traceId: string; readonly spanId: string } | undefined) => Span | null;
  readonly childrenOf: (span: Span) => readonly Span[];
}

/** Finds the spans of the calls in evidence. A call without any of its spans has no picture. */
export function prepareCalls(spans: readonly Span[]): DrawCall {
  const lookup = indexSpans(spans);
  return (id, evidence) => {
    const { server, during } = evidence;
    const first = lookup.find(evidence);
    if (first === null) return null;
    const called = lookup.find(server);
    const isCalled = called === null && (first.kind === 'SERVER' || first.kind === 'CONSUMER');
    return isCalled
      ? drawSides(id, { client: null, server: first, during: lookup.find(during) }, lookup)
      : drawSides(id, { client: first, server: called, during: null }, lookup);
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

function drawSides(id: FindingId, sides: Sides, lookup: Lookup): CallPicture {
  const { client, server, during } = sides;
  const parent = server === null ? null : parentOf(server, lookup);
  const lowest = client ?? during ?? parent;
  const outer = lowest === null ? [] : listAncestors(lowest, lookup);
  const caller = lowest === null ? [] : [lowest];
  const called = server === null ? [] : [server, ...listDescendants(server, lookup)];
  const ofCall = new Set([client, server].filter((span) => span !== null));
  switch (placeCut(id, sides)) {
    case 'nowhere':
      return { above: [], below: [...outer, ...caller, ...called], sides: ofCall, cut: null };
    case 'above trace':
      return { above: [], below: [...outer, ...caller, ...called], sides: ofCall, cut: lostBefore };
    case 'above call':
      return { above: outer, below: [...caller, ...called], sides: ofCall, cut: nameCutAbove(lowest, outer) };
    case 'between':
      return { above: [...outer, ...caller], below: called, sides: ofCall, cut: nameCut(sides, parent) };
  }
}

/** Places the cut. The ids of the two sides take precedence over the place that the finding defines. */
function placeCut(id: FindingId, { client, server }: Sides): CutPlace {
  const { cut = 'between' } = findings[id];
  if (cut === 'nowhere') return cut;
  if (client === null) return 'between';
  if (server === null) return cut;
  const isWhole = client.spanId === server.parentSpanId && client.traceId === server.traceId;
  if (!isWhole) return 'between';
  return cut === 'between' ? 'nowhere' : cut;
}

function nameCutAbove(span: Span | null, outer: readonly Span[]): string {
  if (outer.length > 0) return 'the call below belongs to another request than the one above';
  const parentId = span?.parentSpanId ?? null;
  return parentId === null ? lostBefore : `the parent of the span below, ${parentId}, is not here`;
}

function nameCut({ client, server, during }: Sides, parent: Span | null): string {
  if (server === null) return 'no span of the called side has this span as its parent';
  const { traceId, parentSpanId } = server;
  const named = `the parent of the span below, ${parentSpanId},`;
  if (parentSpanId !== null && client !== null)
    return parentSpanId === client.spanId
      ? `${named} is the span above, but the trace id is another`
      : `${named} is not the span of the call`;
  if (parentSpanId !== null)
    return parent === null
      ? `${named} is not here`
      : `${named} is of ${labelService(parent.serviceName)}: it is not the span of this call`;
  if (traceId === client?.traceId)
    return 'the parent is lost here: the span below is a second root of the trace';
  return during === null
    ? 'the context is lost here: the span below is the root of a trace of its own'
    : 'the caller made no span of the call: the span below is the root of a trace of its own';
}

/** The nearest ancestors, the outermost first. Bounded, so that it ends for cycles too. */
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
