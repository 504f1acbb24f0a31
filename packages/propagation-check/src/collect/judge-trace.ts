import { findEdges } from '../calls/edge.ts';
import type { Expectation } from '../expect/expectation.ts';
import { buildTraceGraph } from '../graph/trace-graph.ts';
import { isToleratedPeer } from '../rules/tolerated-peer.ts';
import type { CollectorCounters } from '../span/collector-counters.ts';
import type { Span } from '../span/span.ts';
import { type SpanStore, traceIdAt, viewOf } from '../span/span-store.ts';
import { SpanWriter } from '../span/span-writer.ts';
import type { Result } from '../verdict/result.ts';
import { type CheckInputs, judgeStore } from './judge.ts';

/** The sides of calls that a trace shows without their other side. */
export function findLooseEnds(spans: readonly Span[], expectation: Expectation): readonly Span[] {
  const graph = buildTraceGraph(spans);
  return findEdges(graph).openClients.filter((span) => !isToleratedPeer(expectation, span));
}

/** Spans collected for a verdict. */
export interface CollectedStore {
  readonly store: SpanStore;
  /** Ids of traces that services began while requests were open. */
  readonly detached: ReadonlySet<string>;
}

/**
 * Judges what was collected. Traces that began within services while requests were open count only where they show
 * what those lost: otherwise they are a job's, which nobody asked for.
 */
export function judgeCollected(
  { store, detached }: CollectedStore,
  inputs: CheckInputs,
  collector: CollectorCounters | null,
): Result {
  const result = judgeStore(store, inputs, collector);
  const showsLoss = result.findings.some(
    ({ severity, evidence }) => severity !== 'info' && evidence.some(({ traceId }) => detached.has(traceId)),
  );
  if (detached.size === 0 || showsLoss) return result;
  return judgeStore(leaveOut(store, detached), inputs, collector);
}

function leaveOut(store: SpanStore, traces: ReadonlySet<string>): SpanStore {
  const writer = new SpanWriter();
  for (let row = 0; row < store.size; row += 1) {
    if (!traces.has(traceIdAt(store, row))) writer.addSpan(viewOf(store, row));
  }
  return writer.finish();
}
