import { isEntry } from '../calls/edge.ts';
import { isHealthProbe } from '../calls/probes.ts';
import { buildTraceGraph, isRoot } from '../graph/trace-graph.ts';
import { startsDuringAny } from '../pairing/times.ts';
import { thresholds } from '../rules/thresholds.ts';
import { countDroppedLinks } from '../span/dropped-counts.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { groupBy } from '../util/group-by.ts';
import { listNames } from '../util/list-names.ts';
import { nameService } from '../util/name-service.ts';

/** Finds entry spans that began traces, of services whose entry spans all did so during requests to other services. */
export function findEnclosed(spans: readonly Span[]): readonly Span[] {
  const graph = buildTraceGraph(spans);
  const begun = graph.select((row) => isBegun(graph.view(row)));
  return groupBy(begun, ({ serviceName }) => serviceName ?? '').flatMap((ofService) => {
    const requests = begun.filter(({ serviceName }) => serviceName !== ofService[0].serviceName);
    const isDuring = startsDuringAny(graph, requests, thresholds);
    // A single one may be a coincidence.
    const isEnough = ofService.length >= thresholds.fewestUnique;
    return isEnough && ofService.every((span) => isDuring(graph.rowOf(span))) ? ofService : [];
  });
}

/** Whether a request or message began a trace, and no link names its cause. */
export function isBegun(span: Span): boolean {
  return (
    isEntry(span) && isRoot(span) && span.links.length + countDroppedLinks(span) === 0 && !isHealthProbe(span)
  );
}

/**
 * Describes traces whose caller is unknown.
 * @param path The edge to which they may belong.
 * @param others Other possible callers.
 */
export function describeUncaused(uncaused: readonly Span[], path: string, others: string): string {
  const services = [...new Set(uncaused.map((span) => nameService(span.serviceName)))];
  return (
    `${countOf(uncaused.length, 'trace')} began at ${listNames(services)} during the requests, and nothing says who called: ` +
    `a service whose client library (HTTP, gRPC, messaging) is not instrumented, or ${others}; name the edge with --expect ${JSON.stringify(path)}`
  );
}
