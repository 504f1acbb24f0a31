import { isEntry } from '../calls/edge.ts';
import { ownServiceName } from '../calls/own-service.ts';
import { isHealthProbe } from '../calls/probes.ts';
import type { Expectation } from '../expect/expectation.ts';
import { buildTraceGraph, isRoot } from '../graph/trace-graph.ts';
import { indexByTime, startsDuringAny } from '../pairing/times.ts';
import { thresholds } from '../rules/thresholds.ts';
import { countDroppedLinks } from '../span/dropped-counts.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { groupBy } from '../util/group-by.ts';
import { listNames } from '../util/list-names.ts';
import { nameService } from '../util/name-service.ts';
import { listReached } from './list-reached.ts';

/**
 * Finds entry spans that began traces while a request of this tool was open, in services that it did not call. Their caller is unknown;
 * it may be a service whose client is not instrumented.
 * @param begun Ids of traces that the requests are known to have caused.
 */
function findUncaused(
  spans: readonly Span[],
  requests: readonly Span[],
  begun: ReadonlySet<string>,
): readonly Span[] {
  const reached = listReached(spans, requests);
  // Without tolerance: a trace that another caller began shortly before or after a request does not count.
  const openAt = indexByTime(requests, { ...thresholds, clockTolerance: 0n });
  return spans.filter(
    (span) =>
      isBegun(span) &&
      !begun.has(span.traceId) &&
      !reached.has(span.serviceName ?? '') &&
      openAt.someOpen(span.startTimeUnixNano, () => true),
  );
}

/**
 * Notes traces that began during the requests of this tool at services that it did not call and for which no expectation names a caller.
 * @param begun Ids of traces that the requests are known to have caused.
 */
export function noteUncaused(
  spans: readonly Span[],
  requests: readonly Span[],
  begun: ReadonlySet<string>,
  { edges }: Expectation,
): readonly string[] {
  const uncaused = findUncaused(spans, requests, begun).filter(
    ({ serviceName }) => !edges.some(({ server }) => server === serviceName),
  );
  if (uncaused.length === 0) return [];
  const [caller = 'CALLER', ...others] = listReached(spans, requests);
  const path = `${others.length === 0 ? caller : 'CALLER'} -> ${uncaused[0]?.serviceName ?? 'CALLED'}`;
  return [describeUncaused(uncaused, path, 'others')];
}

/** As `noteUncaused`, of spans that a run of this tool saved, which has its requests too. If no span continues one, the run judged others. */
export function noteUncausedOfSaved(spans: readonly Span[], expectation: Expectation): readonly string[] {
  const requests = spans.filter(({ serviceName }) => serviceName === ownServiceName);
  return listReached(spans, requests).size === 0 ? [] : noteUncaused(spans, requests, new Set(), expectation);
}

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

function isBegun(span: Span): boolean {
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
