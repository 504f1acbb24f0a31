import { findEdges } from '../calls/edge.ts';
import type { Expectation } from '../expect/expectation.ts';
import { buildTraceGraph } from '../graph/trace-graph.ts';
import { isToleratedPeer } from '../rules/tolerated-peer.ts';
import type { CollectorCounters } from '../span/collector-counters.ts';
import type { Span } from '../span/span.ts';
import type { Result } from '../verdict/result.ts';
import { type CheckInputs, judge } from './judge.ts';

/** The sides of calls that a trace shows without their other side. */
export function findLooseEnds(spans: readonly Span[], expectation: Expectation): readonly Span[] {
  const graph = buildTraceGraph(spans);
  return findEdges(graph).openClients.filter((span) => !isToleratedPeer(expectation, span));
}

/**
 * Judges what was collected. Traces that began within services while requests were open count only where they show
 * what those lost: otherwise they are a job's, which nobody asked for.
 */
export function judgeCollected(
  { spans, detached }: { readonly spans: readonly Span[]; readonly detached: ReadonlySet<string> },
  inputs: CheckInputs,
  collector: CollectorCounters | null,
): Result {
  const result = judge(spans, inputs, collector);
  const showsLoss = result.findings.some(
    ({ severity, evidence }) => severity !== 'info' && evidence.some(({ traceId }) => detached.has(traceId)),
  );
  if (detached.size === 0 || showsLoss) return result;
  return judge(
    spans.filter((span) => !detached.has(span.traceId)),
    inputs,
    collector,
  );
}
