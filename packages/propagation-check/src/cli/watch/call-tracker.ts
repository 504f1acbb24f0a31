import type { EdgeProtocol } from '../../calls/call-group.ts';
import { findEdges } from '../../calls/edge.ts';
import { isSameEdge } from '../../calls/same-edge.ts';
import { TraceGraph } from '../../graph/trace-graph.ts';
import { isPast } from '../../report/terminal-edges.ts';
import { thresholds } from '../../rules/thresholds.ts';
import type { Span } from '../../span/span.ts';
import type { SpanStore } from '../../span/span-store.ts';
import { storeOf } from '../../span/span-writer.ts';
import { keyFor, mapBy } from '../../util/group-by.ts';
import { later } from '../../util/statistics.ts';
import { areMostlyJudged } from '../../verdict/are-mostly-judged.ts';
import { chooseNewCalls } from '../../verdict/choose-calls.ts';
import { isAccepted } from '../../verdict/decide-verdict.ts';
import type { EdgeResult, Evidence, Finding, PastService, Result, Undecided } from '../../verdict/result.ts';

export interface TrackerOptions {
  /** Milliseconds. A trace is judged when no span of it has come for so long. */
  readonly settleMs: number;
  /** Of traces that are not judged yet, or that others may be judged by. */
  readonly maxSpans?: number;
}

/** An edge since the watch began. */
export interface WatchedEdge {
  readonly client: string | null;
  readonly server: string | null;
  readonly protocol: EdgeProtocol;
  readonly calls: number;
  readonly broken: number;
  /** The calls of the last look at the traces that are here. */
  readonly looked?: number;
  /** Further calls of that, which a warning leaves open or of which the other side is not here. */
  readonly unjudged?: number;
  /** So many of the calls may have lost their context inside of the caller. */
  readonly doubtful?: number;
  /** Why the last look judged no more of its calls than it left open; not there where it judged more. */
  readonly open?: string;
  /** The service that all calls of the last look went through: the edge is here only because one of that is broken. */
  readonly past?: Pick<PastService, 'service'>;
  /** Calls of the last time slices, the newest last. */
  readonly slices: readonly Slice[];
  /** The newest error, or warning where there is no error. */
  readonly newest: Break | null;
  /** Spans of the trace of the newest call. */
  readonly sample: readonly Span[];
}

export interface Slice {
  readonly calls: number;
  readonly broken: number;
}

/** Calls of one edge with one finding. */
export interface Break {
  readonly finding: Finding;
  /** Calls since the watch began. */
  readonly count: number;
  /** Milliseconds since the epoch: when the newest one was judged. */
  readonly at: number;
  /** Of the newest one; null where no call was seen at all. */
  readonly evidence: Evidence | null;
  /** Its traces. */
  readonly spans: readonly Span[];
}

export interface Counts {
  readonly traces: number;
  /** Traces that are not judged yet. */
  readonly open: number;
  readonly spans: number;
  /** Spans that there was no room for. */
  readonly leftOut: number;
}

export const sliceMs = 10_000;
const sliceCount = 12;

/** After this age exporters have sent their spans long since. */
const oldMs = 60_000;
/** A trace without an end, such as that of a loop, is judged after this time, and again when more has come. */
const longestOpenMs = 300_000;
/** For the other side of a call, which may be judged later. */
const contextMs = 30_000;
const defaultMaxSpans = 50_000;
/** Names come from outside. */
const mostEdges = 1_000;
const mostBreaks = 500;
const mostGone = 100_000;
/** Of a trace that can be opened. */
const mostSampleSpans = 500;

interface Trace {
  readonly spans: Map<string, Span>;
  /** When it was opened, or opened again by a late span. */
  since: number;
  /** When a span came last. */
  arrivedAt: number;
  /** Null while it is open. */
  judgedAt: number | null;
  /** Findings and spans of warnings that were counted. */
  readonly warned: Set<string>;
}

interface Counting {
  readonly edge: Pick<WatchedEdge, 'client' | 'server' | 'protocol'>;
  calls: number;
  broken: number;
  doubtful: number;
  look: Pick<EdgeResult, 'calls' | 'unjudged' | 'doubtful'>;
  readonly slices: Map<number, { calls: number; broken: number }>;
  sample: readonly Span[];
  past: WatchedEdge['past'] | null;
}

/**
 * Counts calls and breaks of traces while they arrive, in bounded memory: a trace is judged when it is quiet, together with those that
 * were judged shortly before, and forgotten soon after; the counters stay. Time is given, so that it is a pure machine.
 */
export class CallTracker {
  readonly #settleMs: number;
  readonly #maxSpans: number;
  readonly #traces = new Map<string, Trace>();
  /** Traces that were forgotten: sources show them again. */
  readonly #gone = new Set<string>();
  readonly #edges = new Map<string, Counting>();
  readonly #breaks = new Map<string, Break>();
  /** Both sides of each call of the traces that are here, and whether it was counted as broken. */
  readonly #counted = new Map<string, { isBroken: boolean }>();
  /** Expected edges without a call, and those of which no call was judged. */
  #unseen: readonly EdgeResult[] = [];
  #undecided: readonly Undecided[] = [];
  #spans = 0;
  #seen = { traces: 0, spans: 0, leftOut: 0 };

  constructor({ settleMs, maxSpans = defaultMaxSpans }: TrackerOptions) {
    this.#settleMs = settleMs;
    this.#maxSpans = maxSpans;
  }

  /** @param spans As a source shows them, with those that it has shown before. */
  add(spans: readonly Span[], now: number): void {
    for (const [traceId, shown] of mapBy(spans, (span) => span.traceId)) {
      if (this.#gone.has(traceId)) continue;
      const known = this.#traces.get(traceId);
      const trace = known ?? makeTrace(now);
      const added = shown.filter((span) => !trace.spans.has(idOf(span)));
      if (added.length === 0) continue;
      for (const span of added) trace.spans.set(idOf(span), span);
      trace.arrivedAt = isOld(trace.spans.values(), now) ? now - this.#settleMs : now;
      if (trace.judgedAt !== null) trace.since = now;
      trace.judgedAt = null;
      this.#spans += added.length;
      this.#seen.spans += added.length;
      if (known !== undefined) continue;
      this.#traces.set(traceId, trace);
      this.#seen.traces += 1;
    }
  }

  /** Milliseconds until a trace can be judged; null where none waits. */
  nextDue(now: number): number | null {
    const waiting = [...this.#traces.values()].filter(({ judgedAt }) => judgedAt === null);
    if (waiting.length === 0) return null;
    const first = waiting.reduce((earliest, trace) => Math.min(earliest, this.#dueAt(trace)), Infinity);
    return Math.max(0, first - now);
  }

  /**
   * Judges the traces that are quiet, and forgets old ones.
   * @returns Those that were forgotten.
   */
  judge(now: number, check: (store: SpanStore) => Result): readonly string[] {
    const quiet = [...this.#traces.values()].filter(
      (trace) => trace.judgedAt === null && this.#dueAt(trace) <= now,
    );
    for (const trace of quiet) trace.judgedAt = now;
    if (quiet.length > 0) this.#count(now, check);
    return this.#forget(now);
  }

  counts(): Counts {
    const open = [...this.#traces.values()].filter(({ judgedAt }) => judgedAt === null).length;
    return { ...this.#seen, open };
  }

  /** Those with the newest errors first, then those with warnings, then the busiest. */
  edges(now: number): readonly WatchedEdge[] {
    const newest = new Map<string, Break>();
    for (const each of this.#breaks.values()) {
      const key = keyFor(each.finding.client, each.finding.server);
      const other = newest.get(key);
      if (other === undefined || rankOf(each) > rankOf(other)) newest.set(key, each);
    }
    const counted = [...this.#edges.values()].map(({ edge, slices, sample, past, look, ...counts }) => ({
      ...edge,
      ...(past == null ? {} : { past }),
      ...counts,
      looked: look.calls,
      unjudged: look.unjudged ?? 0,
      ...this.#tellOpen(edge, look),
      sample,
      slices: listSlices(slices, now),
      newest: newest.get(keyFor(edge.client, edge.server)) ?? null,
    }));
    const unseen = this.#unseen
      .filter((edge) => !counted.some((one) => isSameEdge(one, edge)))
      .map((edge) => ({
        ...edge,
        slices: listSlices(new Map(), now),
        newest: newest.get(keyFor(edge.client, edge.server)) ?? null,
        sample: [],
      }));
    return [...counted, ...unseen].sort(
      (one, other) => rankOf(other.newest) - rankOf(one.newest) || other.calls - one.calls,
    );
  }

  /** Edges that the last traces left open and of which no call was ever counted. */
  undecided(): readonly Undecided[] {
    return this.#undecided.filter((one) => !this.#hasCalls(one));
  }

  /** The newest first. */
  breaks(): readonly Break[] {
    return [...this.#breaks.values()].sort((one, other) => other.at - one.at);
  }

  #dueAt({ since, arrivedAt }: Trace): number {
    return Math.min(arrivedAt + this.#settleMs, since + longestOpenMs);
  }

  #count(now: number, check: (store: SpanStore) => Result): void {
    const judged = [...this.#traces].filter(([, trace]) => trace.judgedAt !== null);
    const store = storeOf(judged.flatMap(([, { spans }]) => [...spans.values()]));
    const result = check(store);
    this.#countWhole(store, now);
    for (const finding of result.findings) {
      if (finding.severity === 'info' || isAccepted(finding)) continue;
      const edge = findEdge(result, finding);
      const isError = finding.severity === 'error';
      if (finding.evidence.length === 0) this.#addBreak(finding, null, 0, now);
      const fresh = finding.evidence.filter((evidence) => {
        const sides = [evidence.server ?? evidence, evidence].map((ids) => `${ids.traceId} ${ids.spanId}`);
        return isError ? this.#countCall(edge, sides, true, now) : this.#isNewWarning(finding, evidence);
      });
      if (finding.doubt !== undefined) this.#countDoubtful(edge, fresh.length);
      const newest = fresh.at(-1);
      if (newest !== undefined) this.#addBreak(finding, newest, fresh.length, now);
    }
    for (const edge of result.edges) {
      const counting = this.#edges.get(keyOf(edge));
      if (counting === undefined) continue;
      counting.look = edge;
      if (edge.calls > 0) counting.past = isPast(edge) ? edge.past : null;
    }
    this.#unseen = result.edges.filter(({ calls }) => calls === 0);
    this.#undecided = (result.undecided ?? []).filter(
      ({ client, server }) => client !== null && server !== null,
    );
    // An expected edge that was not seen before is seen now.
    for (const [key, { finding, evidence }] of this.#breaks)
      if (evidence === null && this.#hasCalls(finding)) this.#breaks.delete(key);
  }

  #countWhole(store: SpanStore, now: number): void {
    const graph = new TraceGraph(store);
    const { groups, facts } = findEdges(graph);
    const sideOf = (row: number): string => {
      const { traceId, spanId } = graph.view(row);
      return `${traceId} ${spanId}`;
    };
    const isCounted = (_: number, server: number): boolean => this.#counted.has(sideOf(server));
    for (const { group, calls } of chooseNewCalls({ graph, facts }, groups, isCounted))
      for (const { server } of calls) this.#countCall(group, [sideOf(server)], false, now);
  }

  /** @returns Whether it is new, or newly broken. */
  #countCall(edge: Counting['edge'], sides: readonly string[], isBroken: boolean, now: number): boolean {
    const known = sides.map((side) => this.#counted.get(side)).find((one) => one !== undefined);
    if (known !== undefined && (known.isBroken || !isBroken)) return false;
    const counting = this.#findCounting(edge);
    const sample = this.#sampleOf(sides);
    const call = known ?? { isBroken };
    call.isBroken = isBroken;
    for (const side of sides) this.#counted.set(side, call);
    if (counting === null) return true;
    const at = Math.floor(now / sliceMs);
    const slice = counting.slices.get(at) ?? { calls: 0, broken: 0 };
    counting.slices.set(at, slice);
    for (const old of counting.slices.keys()) if (old <= at - sliceCount) counting.slices.delete(old);
    for (const counter of [counting, slice]) {
      if (known === undefined) counter.calls += 1;
      if (isBroken) counter.broken += 1;
    }
    counting.sample = sample;
    return true;
  }

  /** Those of a call that is not whole are not judged. */
  #countDoubtful(edge: Pick<EdgeResult, 'client' | 'server' | 'protocol' | 'doubtful'>, added: number): void {
    const counting = this.#edges.get(keyOf(edge));
    if (counting === undefined || edge.doubtful === undefined) return;
    counting.doubtful = Math.min(counting.doubtful + added, counting.calls - counting.broken);
  }

  #tellOpen(
    edge: Counting['edge'],
    { calls, unjudged = 0, doubtful = 0 }: Counting['look'],
  ): Pick<WatchedEdge, 'open'> {
    const all = calls + unjudged;
    if (all === 0 || areMostlyJudged(calls - doubtful, all, thresholds)) return {};
    const open = this.#undecided.find(
      ({ protocol = edge.protocol, ...sides }) => isSameEdge(sides, edge) && protocol === edge.protocol,
    );
    return open === undefined ? {} : { open: open.says };
  }

  #isNewWarning({ id }: Finding, { traceId, spanId }: Evidence): boolean {
    const warned = this.#traces.get(traceId)?.warned;
    const key = `${id} ${spanId}`;
    if (warned === undefined || warned.has(key)) return false;
    warned.add(key);
    return true;
  }

  #hasCalls(sides: Pick<Finding, 'client' | 'server'>): boolean {
    return [...this.#edges.values()].some(({ edge }) => isSameEdge(edge, sides));
  }

  /** Null where there are too many. */
  #findCounting(edge: Counting['edge']): Counting | null {
    const { client, server, protocol } = edge;
    const key = keyOf(edge);
    const known = this.#edges.get(key);
    if (known !== undefined) return known;
    if (this.#edges.size >= mostEdges) return null;
    const counting = {
      edge: { client, server, protocol },
      calls: 0,
      broken: 0,
      doubtful: 0,
      look: { calls: 0 },
      slices: new Map(),
      sample: [],
      past: null,
    };
    this.#edges.set(key, counting);
    return counting;
  }

  #addBreak(finding: Finding, evidence: Evidence | null, added: number, now: number): void {
    const key = keyFor(finding.id, finding.client, finding.server);
    const known = this.#breaks.get(key);
    if (evidence === null && (known !== undefined || this.#hasCalls(finding))) return;
    const sides = evidence === null ? [] : [evidence, evidence.server, evidence.during];
    const ids = sides.flatMap((side) => side?.traceId ?? []);
    // The newest one is the last.
    this.#breaks.delete(key);
    this.#breaks.set(key, {
      // Its newest call is shown.
      finding: { ...finding, evidence: evidence === null ? [] : [evidence] },
      count: (known?.count ?? 0) + added,
      at: now,
      evidence,
      spans: [...new Set(ids)].flatMap((traceId) => this.#spansOf(traceId)),
    });
    for (const oldest of this.#breaks.keys()) {
      if (this.#breaks.size <= mostBreaks) break;
      this.#breaks.delete(oldest);
    }
  }

  #sampleOf(sides: readonly string[]): readonly Span[] {
    const ids = new Set(sides.map((side) => side.split(' ')[0] ?? ''));
    return [...ids].flatMap((traceId) => this.#spansOf(traceId));
  }

  #spansOf(traceId: string): readonly Span[] {
    const spans = this.#traces.get(traceId)?.spans.values() ?? [];
    return [...spans].slice(0, mostSampleSpans);
  }

  #forget(now: number): readonly string[] {
    const forgotten: string[] = [];
    for (const [traceId, { judgedAt, spans }] of this.#traces) {
      const isOver = judgedAt !== null && judgedAt + contextMs <= now;
      if (!isOver && this.#spans <= this.#maxSpans) continue;
      if (judgedAt === null) this.#seen.leftOut += spans.size;
      this.#drop(traceId);
      forgotten.push(traceId);
    }
    return forgotten;
  }

  #drop(traceId: string): void {
    const trace = this.#traces.get(traceId);
    if (trace === undefined) return;
    this.#traces.delete(traceId);
    this.#spans -= trace.spans.size;
    for (const { spanId } of trace.spans.values()) this.#counted.delete(`${traceId} ${spanId}`);
    this.#gone.add(traceId);
    for (const oldest of this.#gone) {
      if (this.#gone.size <= mostGone) break;
      this.#gone.delete(oldest);
    }
  }
}

function makeTrace(now: number): Trace {
  return { spans: new Map(), since: now, arrivedAt: now, judgedAt: null, warned: new Set() };
}

/** Zipkin gives both sides of a call one id. */
function idOf({ spanId, kind }: Span): string {
  return `${spanId} ${kind}`;
}

function isOld(spans: Iterable<Span>, now: number): boolean {
  const end = Array.from(spans, (span) => span.endTimeUnixNano).reduce(later, 0n);
  return Number(end / 1_000_000n) < now - oldMs;
}

export function keyOf({
  client,
  server,
  protocol,
}: Pick<WatchedEdge, 'client' | 'server' | 'protocol'>): string {
  return keyFor(client, server, protocol);
}

/** The protocol of a finding is that of its edge. */
function findEdge(
  { edges }: Result,
  { client, server }: Finding,
): Counting['edge'] & Pick<EdgeResult, 'doubtful'> {
  const own = edges.filter((edge) => isSameEdge(edge, { client, server }));
  return own.find(({ broken }) => broken > 0) ?? own[0] ?? { client, server, protocol: 'http' };
}

function rankOf(newest: Break | null): number {
  if (newest === null) return 0;
  return newest.finding.severity === 'error' ? newest.at : 1;
}

function listSlices(
  slices: ReadonlyMap<number, { calls: number; broken: number }>,
  now: number,
): readonly Slice[] {
  const last = Math.floor(now / sliceMs);
  return Array.from(
    { length: sliceCount },
    (_, index) => slices.get(last - sliceCount + 1 + index) ?? { calls: 0, broken: 0 },
  );
}
