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
import { listReached } from './list-reached.ts';

/**
 * The entries that began traces while a request of this tool was open, in services that it did not call: a service whose
 * client is not instrumented may have called them, or anybody else.
 * @param begun Traces that are known to be the requests' own.
 */
export function findUncaused(
  spans: readonly Span[],
  requests: readonly Span[],
  begun: ReadonlySet<string>,
): readonly Span[] {
  const reached = listReached(spans, requests);
  return spans.filter(
    (span) =>
      isBegun(span) &&
      !begun.has(span.traceId) &&
      !reached.has(span.serviceName ?? '') &&
      requests.some(
        (request) =>
          span.startTimeUnixNano >= request.startTimeUnixNano &&
          span.startTimeUnixNano <= request.endTimeUnixNano,
      ),
  );
}

/** Entries that began traces, of services each of whose entries did so during requests to others. */
export function findEnclosed(spans: readonly Span[]): readonly Span[] {
  const graph = buildTraceGraph(spans);
  const begun = graph.select((row) => isBegun(graph.view(row)));
  return groupBy(begun, ({ serviceName }) => serviceName ?? '').flatMap((ofService) => {
    const requests = begun.filter(({ serviceName }) => serviceName !== ofService[0].serviceName);
    const isDuring = startsDuringAny(graph, requests, thresholds);
    // One may be a coincidence.
    const isEnough = ofService.length >= thresholds.fewestUnique;
    return isEnough && ofService.every((span) => isDuring(graph.rowOf(span))) ? ofService : [];
  });
}

function isBegun(span: Span): boolean {
  return (
    isEntry(span) && isRoot(span) && span.links.length + countDroppedLinks(span) === 0 && !isHealthProbe(span)
  );
}

/**
 * Says that traces began whose cause is not known.
 * @param path The edge that may be theirs.
 * @param others Who else may have called.
 */
export function describeUncaused(uncaused: readonly Span[], path: string, others: string): string {
  const services = [...new Set(uncaused.map((span) => span.serviceName ?? 'a service without a name'))];
  return (
    `${countOf(uncaused.length, 'trace')} began at ${listNames(services)} during the requests, and nothing says who called: ` +
    `a service whose client library (HTTP, gRPC, messaging) is not instrumented, or ${others}; name the edge with --expect ${JSON.stringify(path)}`
  );
}
