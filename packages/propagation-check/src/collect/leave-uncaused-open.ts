import { ownServiceName } from '../calls/own-service.ts';
import type { Expectation } from '../expect/expectation.ts';
import type { TraceGraph } from '../graph/trace-graph.ts';
import { indexByTime } from '../pairing/times.ts';
import { thresholds } from '../rules/thresholds.ts';
import type { Span } from '../span/span.ts';
import { groupBy } from '../util/group-by.ts';
import { decideVerdict } from '../verdict/decide-verdict.ts';
import type { Result, Undecided } from '../verdict/result.ts';
import { describeUncaused, isBegun } from './find-uncaused.ts';

/** Requests of this tool, and the services that they called. */
export interface SentRequests {
  readonly requests: readonly Span[];
  readonly reached: ReadonlySet<string>;
}

/**
 * Leaves the result open if traces began during requests of this tool at services that it did not call: their caller may be a service whose
 * client is not instrumented. Every command judges with this function, so that a saved run has the verdict of the run. Expectations say
 * what must be there, so that beside them the traces are only noted.
 */
export function leaveUncausedOpen(
  result: Result,
  graph: TraceGraph,
  { edges }: Expectation,
  { requests, reached }: SentRequests = findSent(graph),
): Result {
  // If no span continues a request, the traces that began instead of it were judged.
  if (reached.size === 0 || result.verdict === 'unknown') return result;
  const uncaused = findUncaused(graph, requests, reached).filter(
    ([{ serviceName }]) => !edges.some(({ server }) => server === serviceName),
  );
  if (uncaused.length === 0) return result;
  if (edges.length > 0) return addUnjudged(result, uncaused);
  const undecided = [...(result.undecided ?? []), ...uncaused.map((spans) => describe(spans, [...reached]))];
  return { ...result, verdict: decideVerdict({ ...result, undecided }, true), undecided };
}

/** The requests in the data: a run has them, and files that a run saved. */
function findSent(graph: TraceGraph): SentRequests {
  const requests = graph.viewsOf(graph.rowsOfService(ownServiceName));
  return { requests, reached: requests.length === 0 ? new Set() : listReachedBy(graph, requests) };
}

function listReachedBy(graph: TraceGraph, requests: readonly Span[]): ReadonlySet<string> {
  const rows = new Set(requests.map((span) => graph.rowOf(span)));
  const reached = new Set<string>();
  graph.parents.forEach((parent, row) => {
    const service = rows.has(parent) && graph.has(row) ? graph.serviceOf(row) : null;
    if (service !== null) reached.add(service);
  });
  return reached;
}

/** For each service, the traces that began during the requests; none if most traces of the service began at other times. */
function findUncaused(
  graph: TraceGraph,
  requests: readonly Span[],
  reached: ReadonlySet<string>,
): readonly (readonly [Span, ...Span[]])[] {
  // Without tolerance: a trace that another caller began shortly before or after a request does not count.
  const openAt = indexByTime(requests, { ...thresholds, clockTolerance: 0n });
  const begun = graph.select(
    (row) => graph.isEntry(row) && graph.isRoot(row) && !reached.has(graph.serviceOf(row) ?? ''),
  );
  return groupBy(begun.filter(isBegun), ({ serviceName }) => serviceName ?? '').flatMap((ofService) => {
    const [first, ...others] = ofService.filter((span) =>
      openAt.someOpen(span.startTimeUnixNano, () => true),
    );
    const isMost = others.length + 1 >= ofService.length * thresholds.missingCallShare;
    return first === undefined || !isMost ? [] : [[first, ...others] as const];
  });
}

function describe(spans: readonly [Span, ...Span[]], [caller, ...others]: readonly string[]): Undecided {
  const [{ serviceName: server }] = spans;
  const client = caller === undefined || others.length > 0 ? null : caller;
  const path = `${client ?? 'CALLER'} -> ${server ?? 'CALLED'}`;
  return { client, server, says: describeUncaused(spans, path, 'others') };
}

/** The result lists each service once. */
function addUnjudged(result: Result, uncaused: readonly (readonly [Span, ...Span[]])[]): Result {
  const { unjudged = [] } = result;
  const added = uncaused.flatMap(([{ serviceName: peer }, ...others]) =>
    peer === null || unjudged.some((edge) => edge.peer === peer)
      ? []
      : [{ client: null, peer, calls: others.length + 1 }],
  );
  return added.length === 0 ? result : { ...result, unjudged: [...unjudged, ...added] };
}
