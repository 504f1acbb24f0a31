import { findEdges } from '../calls/edge.ts';
import { type Expectation, isExpected } from '../expect/expectation.ts';
import { buildTraceGraph, isOrphan } from '../graph/trace-graph.ts';
import { findings as knownFindings } from '../rules/findings.ts';
import { isToleratedPeer } from '../rules/tolerated-peer.ts';
import type { CollectorCounters } from '../span/collector-counters.ts';
import type { Span } from '../span/span.ts';
import type { Result } from '../verdict/result.ts';
import { type CheckInputs, judge } from './check-inputs.ts';

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

/**
 * Whether nothing is left to wait for in one trace: every span has its parent, every call has both sides or a conclusive
 * finding, and so has every edge that must exist.
 * @param spans Of the trace, of what it pairs with, and of the request that caused it.
 */
export function isCertain(spans: readonly Span[], inputs: CheckInputs): boolean {
  const graph = buildTraceGraph(spans);
  if (graph.spans.some((span) => isOrphan(graph, span))) return false;
  const { findings, edges } = judge(spans, { ...inputs, explain: false });
  if (!findings.every(({ id }) => knownFindings[id].isConclusive)) return false;
  return inputs.expectation.edges
    .filter((edge) => isExpected(inputs.expectation, edge.client, edge.server))
    .every((edge) =>
      edges.some(
        ({ client, server, calls }) => client === edge.client && server === edge.server && calls > 0,
      ),
    );
}
