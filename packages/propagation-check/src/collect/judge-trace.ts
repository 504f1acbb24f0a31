import { findEdges } from '../calls/edge.ts';
import type { Expectation } from '../expect/expectation.ts';
import { buildTraceGraph } from '../graph/trace-graph.ts';
import type { WireRecord } from '../headers/evidence.ts';
import { isToleratedPeer } from '../rules/tolerated-peer.ts';
import type { CollectorCounters } from '../span/collector-counters.ts';
import type { Span } from '../span/span.ts';
import { type SpanStore, traceIdAt, viewOf } from '../span/span-store.ts';
import { SpanWriter, storeOf } from '../span/span-writer.ts';
import type { Result } from '../verdict/result.ts';
import { type CheckInputs, judge } from './judge.ts';

/** Finds CLIENT and PRODUCER spans without their other side, except for calls to tolerated peers. */
export function findLooseEnds(spans: readonly Span[], expectation: Expectation): readonly Span[] {
  const graph = buildTraceGraph(spans);
  return findEdges(graph).openClients.filter((span) => !isToleratedPeer(expectation, span));
}

/** Spans collected for a verdict. */
export interface CollectedSpans {
  readonly spans: readonly Span[];
  /**
   * Ids of detached traces: services began them while requests were open, which may have caused them. Also ids of traces with calls that
   * may have caused the collected ones.
   */
  readonly detached: ReadonlySet<string>;
  /** The last judgement during the collection, if it was one of all the spans. */
  readonly judged: JudgedSpans | null;
}

export interface JudgedSpans {
  readonly spans: readonly Span[];
  /** The records of taps that this judgement used. */
  readonly wire: readonly WireRecord[];
  /** The spans in columns. */
  readonly store: SpanStore;
  readonly result: Result;
}

/** Judges the collected spans. The last judgement is returned if nothing has changed since. */
export function judgeCollected(
  { spans, detached, judged }: CollectedSpans,
  inputs: CheckInputs,
  collector: CollectorCounters | null,
): Pick<JudgedSpans, 'store' | 'result'> {
  const isAsBefore = detached.size === 0 && collector === null;
  if (judged !== null && isAsBefore && isSameList(judged.wire, inputs.wire)) return judged;
  const store = storeOf(spans);
  return { store, result: judgeWithDetached(store, detached, inputs, collector) };
}

/** Judges with the detached traces. If no finding rests on them, they have nothing to do with the requests, and are left out. */
export function judgeWithDetached(
  store: SpanStore,
  detached: ReadonlySet<string>,
  inputs: CheckInputs,
  collector: CollectorCounters | null,
): Result {
  const { result } = judge(store, inputs, collector);
  const showsLoss = result.findings.some(
    ({ severity, evidence }) => severity !== 'info' && evidence.some(({ traceId }) => detached.has(traceId)),
  );
  if (detached.size === 0 || showsLoss) return result;
  return judge(leaveOut(store, detached), inputs, collector).result;
}

export function isSameList<Item>(left: readonly Item[], right: readonly Item[]): boolean {
  return left.length === right.length && left.every((item, at) => item === right[at]);
}

function leaveOut(store: SpanStore, traces: ReadonlySet<string>): SpanStore {
  const writer = new SpanWriter();
  for (let row = 0; row < store.size; row += 1) {
    if (!traces.has(traceIdAt(store, row))) writer.addSpan(viewOf(store, row));
  }
  return writer.finish();
}
