import type { EdgeProtocol } from '../../calls/call-group.ts';
import { findEdges } from '../../calls/edge.ts';
import { isSameEdge } from '../../calls/same-edge.ts';
import { TraceGraph } from '../../graph/trace-graph.ts';
import { isPast } from '../../report/terminal-edges.ts';
import { thresholds } from '../../rules/thresholds.ts';
import type { Span } from '../../span/span.ts';
import type { SpanStore } from '../../span/span-store.ts';
import { storeOf } from '../../span/span-writer.ts';
import { keyFor } from '../../util/group-by.ts';
import { areMostlyJudged } from '../../verdict/are-mostly-judged.ts';
import { chooseNewCalls } from '../../verdict/choose-calls.ts';
import { decideVerdict, hasJudgedEdge, isAccepted } from '../../verdict/decide-verdict.ts';
import type { EdgeResult, Evidence, Finding, PastService, Result, Undecided } from '../../verdict/result.ts';
import { type Counts, WatchedTraces, type WatchOptions } from './watched-traces.ts';

/** An edge, with counts since the watch began. */
export interface WatchedEdge {
  readonly client: string | null;
  readonly server: string | null;
  readonly protocol: EdgeProtocol;
  readonly calls: number;
  readonly broken: number;
  /** How many calls of the edge the last look judged. Only traces that are still in memory count. */
  readonly looked?: number;
  /** How many other calls that look found: a warning leaves them open, or their other side is missing. */
  readonly unjudged?: number;
  /** How many of `calls` may have lost their context inside the caller. */
  readonly doubtful?: number;
  /** Why the edge is open. Set where the last look left at least as many of its calls open as it judged. */
  readonly open?: string;
  /** Some calls of the last look are open on both sides: they may be broken. */
  readonly openOnBothSides?: true;
  /** The service that all calls of the last look passed through: the edge exists only because that service broke another one. */
  readonly past?: Pick<PastService, 'service'>;
  /** The calls of the last time slices, the newest last. */
  readonly slices: readonly Slice[];
  /** The newest error; the newest warning where there is no error. */
  readonly newest: Break | null;
  /** The spans of the trace of the newest call. */
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
  /** When the newest call was judged, or made where its trace is old. Milliseconds since the epoch. */
  readonly at: number;
  /** The evidence of the newest call; null where no call was seen. */
  readonly evidence: Evidence | null;
  /** The spans of its traces. */
  readonly spans: readonly Span[];
}

export const sliceMs = 10_000;
const sliceCount = 12;

/** Limits memory: names of services come from outside. */
const mostEdges = 1_000;
const mostBreaks = 500;

interface Counting {
  readonly edge: Pick<WatchedEdge, 'client' | 'server' | 'protocol'>;
  calls: number;
  broken: number;
  doubtful: number;
  look: Pick<EdgeResult, 'calls' | 'unjudged' | 'doubtful' | 'openOnBothSides'>;
  readonly slices: Map<number, { calls: number; broken: number }>;
  sample: readonly Span[];
  past: WatchedEdge['past'] | null;
}

/**
 * Counts the calls and breaks of traces while they arrive. A trace is judged when it is quiet, together with those that were judged shortly
 * before. Traces are forgotten, counters stay.
 */
export class CallTracker {
  readonly #traces: WatchedTraces;
  readonly #edges = new Map<string, Counting>();
  readonly #breaks = new Map<string, Break>();
  /** Whether a call was counted as broken, by each of its sides in traces that are in memory. */
  readonly #counted = new Map<string, { isBroken: boolean }>();
  /** Expected edges without a call, and edges of which no call was judged. */
  #unseen: readonly EdgeResult[] = [];
  #undecided: readonly Undecided[] = [];
  #isJudged = false;

  constructor(options: WatchOptions) {
    this.#traces = new WatchedTraces(options);
  }

  /** @param spans The spans that a source shows; spans that it has shown before may be among them. */
  add(spans: readonly Span[], now: number): void {
    this.#traces.add(spans, now);
  }

  /** Milliseconds until the next trace can be judged; null where none waits. */
  nextDue(now: number): number | null {
    return this.#traces.nextDue(now);
  }

  /**
   * Judges the traces that are quiet, and forgets old ones.
   * @returns The trace ids that were forgotten.
   */
  judge(now: number, check: (store: SpanStore) => Result): readonly string[] {
    if (this.#traces.closeQuiet(now)) this.#count(now, check);
    const forgotten = this.#traces.forget(now);
    for (const [traceId, spans] of forgotten)
      for (const { spanId } of spans) this.#counted.delete(`${traceId} ${spanId}`);
    return [...forgotten.keys()];
  }

  counts(): Counts {
    return this.#traces.counts();
  }

  /** The edges with the newest errors first, then those with warnings, then the busiest. */
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
      ...(look.openOnBothSides === true ? { openOnBothSides: true as const } : {}),
      ...this.#describeOpen(edge, look),
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

  /** Edges that the last look left open and of which no call was ever counted. */
  undecided(): readonly Undecided[] {
    return this.#undecided.filter((one) => !this.#hasCalls(one));
  }

  /** The newest break first. */
  breaks(): readonly Break[] {
    return [...this.#breaks.values()].sort((one, other) => other.at - one.at);
  }

  /** The verdict, as of a check: `unknown` also where the last look left an edge open. */
  verdict(now: number): Result['verdict'] {
    const findings = this.breaks().map(({ finding }) => finding);
    const isOpen = this.edges(now).some(({ open }) => open !== undefined);
    return decideVerdict({ findings, undecided: this.undecided() }, this.#isJudged && !isOpen);
  }

  #count(now: number, check: (store: SpanStore) => Result): void {
    const store = storeOf(this.#traces.judgedSpans());
    const result = check(store);
    this.#isJudged ||= result.verdict === 'intact' || hasJudgedEdge(result);
    this.#countWhole(store, now);
    for (const finding of result.findings) {
      if (finding.severity === 'info' || isAccepted(finding)) continue;
      const edge = findEdge(result, finding);
      const isError = finding.severity === 'error';
      if (finding.evidence.length === 0) this.#addBreak(finding, null, 0, now);
      const fresh = finding.evidence.filter((evidence) => {
        const sides = [evidence.server ?? evidence, evidence].map((ids) => `${ids.traceId} ${ids.spanId}`);
        return isError
          ? this.#countCall(edge, sides, true, now)
          : this.#traces.isNewWarning(evidence.traceId, `${finding.id} ${evidence.spanId}`);
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
    this.#undecided = (result.undecided ?? []).filter(({ server }) => server !== null);
    // An expected edge that was missing has a call now.
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

  /** @param sides Trace id and span id of each side.
   * @returns Whether the call is new, or newly broken. */
  #countCall(edge: Counting['edge'], sides: readonly string[], isBroken: boolean, now: number): boolean {
    const known = sides.map((side) => this.#counted.get(side)).find((one) => one !== undefined);
    if (known !== undefined && (known.isBroken || !isBroken)) return false;
    const counting = this.#findCounting(edge);
    const sample = this.#traces.samplesOf(sides.map(traceIdOf));
    const call = known ?? { isBroken };
    call.isBroken = isBroken;
    for (const side of sides) this.#counted.set(side, call);
    if (counting === null) return true;
    const at = Math.floor(this.#traces.timeOf(sides.map(traceIdOf), now) / sliceMs);
    const slice = counting.slices.get(at) ?? { calls: 0, broken: 0 };
    counting.slices.set(at, slice);
    const first = Math.floor(now / sliceMs) - sliceCount + 1;
    for (const old of counting.slices.keys()) if (old < first) counting.slices.delete(old);
    for (const counter of [counting, slice]) {
      if (known === undefined) counter.calls += 1;
      if (isBroken) counter.broken += 1;
    }
    counting.sample = sample;
    return true;
  }

  /** Doubtful calls among those that count as whole. Other doubtful calls were never judged. */
  #countDoubtful(edge: Pick<EdgeResult, 'client' | 'server' | 'protocol' | 'doubtful'>, added: number): void {
    const counting = this.#edges.get(keyOf(edge));
    if (counting === undefined || edge.doubtful === undefined) return;
    counting.doubtful = Math.min(counting.doubtful + added, counting.calls - counting.broken);
  }

  #describeOpen(
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

  #hasCalls(sides: Pick<Finding, 'client' | 'server'>): boolean {
    return [...this.#edges.values()].some(({ edge }) => isSameEdge(edge, sides));
  }

  /** Null where there are too many edges. */
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
    // Deleted first, so that the newest break is the last in the map.
    this.#breaks.delete(key);
    this.#breaks.set(key, {
      // The finding shows its newest call only.
      finding: { ...finding, evidence: evidence === null ? [] : [evidence] },
      count: (known?.count ?? 0) + added,
      at: this.#traces.timeOf(ids, now),
      evidence,
      spans: this.#traces.samplesOf(ids),
    });
    for (const oldest of this.#breaks.keys()) {
      if (this.#breaks.size <= mostBreaks) break;
      this.#breaks.delete(oldest);
    }
  }
}

export function keyOf({
  client,
  server,
  protocol,
}: Pick<WatchedEdge, 'client' | 'server' | 'protocol'>): string {
  return keyFor(client, server, protocol);
}

/** Finds the edge of a finding; it has the protocol of the finding. */
function findEdge(
  { edges }: Result,
  { client, server }: Finding,
): Counting['edge'] & Pick<EdgeResult, 'doubtful'> {
  const own = edges.filter((edge) => isSameEdge(edge, { client, server }));
  return own.find(({ broken }) => broken > 0) ?? own[0] ?? { client, server, protocol: 'http' };
}

function traceIdOf(side: string): string {
  return side.slice(0, side.indexOf(' '));
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
