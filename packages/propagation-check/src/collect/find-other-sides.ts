import { readCallFacts } from '../calls/call-facts.ts';
import { isEntry } from '../calls/edge.ts';

import { isNameOfAnother } from '../calls/inside.ts';
import { readPeerService } from '../calls/target.ts';
import type { Expectation } from '../expect/expectation.ts';
import { isRoot } from '../graph/trace-graph.ts';
import { compareRequests, isAddressedTo } from '../pairing/compare-requests.ts';
import { startsDuring } from '../pairing/times.ts';
import { thresholds } from '../rules/thresholds.ts';
import { groupByTrace } from '../source/select-spans.ts';
import type { Source } from '../source/source.ts';
import type { Span } from '../span/span.ts';
import { groupBy } from '../util/group-by.ts';
import { toMilliseconds } from '../util/to-milliseconds.ts';

export interface OtherSideQuery {
  readonly source: Source;
  readonly expectation: Expectation;
  /** Services to search in addition to those that the loose ends call. */
  readonly services: readonly string[];
  /** CLIENT and PRODUCER spans that no span continued. */
  readonly looseEnds: readonly Span[];
  /** Whether to search all services of a remote source if a call names no service. */
  readonly isThorough: boolean;
  /** Trace ids that are known already. */
  readonly known: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

const mostServices = 10;
/** The least limit of a search: other callers may call the same services at the same time. */
const leastTraces = 200;
const mostTraces = 5_000;
const marginMs = 2_000;
/** More traces than a few requests cause: a service that begins so many of its own runs a job. */
const mostDetached = 200;

/**
 * Searches a source for traces that began as the other side of a loose end: a broken call leaves its SERVER span as the root of another
 * trace. Returns only traces that fit by time and request, with all their spans.
 * @throws {SourceError} as `Source.searchTraces`.
 */
export async function findOtherSides(query: OtherSideQuery): Promise<readonly Span[]> {
  const { source, looseEnds, known, signal } = query;
  if (looseEnds.length === 0) return [];
  const window = spanTime(looseEnds);
  const isCheap = source.isInMemory === true;
  const limit = isCheap ? mostTraces : Math.min(mostTraces, Math.max(leastTraces, looseEnds.length * 2));
  const found = new Map<string, readonly Span[]>();
  const search = async (service: string | null, calls: readonly Span[], isSide: FitsCall): Promise<void> => {
    const likely =
      service === null ? calls.flatMap((call) => guessCalledServices(call, query.expectation)) : [];
    const spans = await source.searchTraces({ service, likely, ...window, limit }, signal);
    for (const [traceId, trace] of groupByTrace(spans)) {
      if (!known.has(traceId) && isOtherSide(trace, calls, isSide)) found.set(traceId, trace);
    }
  };
  const services = chooseServices(query);
  for (const service of services) await search(service, looseEnds, fits);
  if (!query.isThorough || services.includes(null) || query.services.length > 0)
    return [...found.values()].flat();
  // Hosts often have other names than their services.
  const answers = [...found.values()].flatMap(listBeginnings);
  const unanswered = looseEnds.filter(
    (call) => call.kind === 'CLIENT' && !answers.some((entry) => fits(call, entry)),
  );
  if (unanswered.length > 0) await search(null, unanswered, fitsCertainly);
  return [...found.values()].flat();
}

/**
 * Searches for the calls of requests that began traces: traces of other services with a CLIENT span that has no child and fits such a
 * request.
 * @param spans The spans of the traces that the requests began.
 * @throws {SourceError} as `Source.searchTraces`.
 */
export async function findCallers(
  source: Source,
  spans: readonly Span[],
  signal: AbortSignal,
): Promise<readonly Span[]> {
  const requests = spans.filter((span) => span.kind === 'SERVER' && isRoot(span) && span.links.length === 0);
  if (requests.length === 0) return [];
  const known = new Set(spans.map((span) => span.traceId));
  const query = { service: null, ...spanTime(requests), limit: leastTraces };
  const traces = [...groupByTrace(await source.searchTraces(query, signal))];
  return traces.flatMap(([traceId, trace]) => {
    if (known.has(traceId)) return [];
    const parents = new Set(trace.map((span) => span.parentSpanId));
    const isCall = (span: Span): boolean =>
      span.kind === 'CLIENT' &&
      !parents.has(span.spanId) &&
      requests.some((request) => request.serviceName !== span.serviceName && fitsCertainly(span, request));
    return trace.some(isCall) ? trace : [];
  });
}

/**
 * Searches for detached traces: a service began them itself, not with a SERVER or CONSUMER span, while one of its requests was open. The
 * request may have caused them and lost its context; the check decides that.
 * @param spans The spans of the traces that have the requests.
 * @throws {SourceError} as `Source.searchTraces`.
 */
export async function findDetached(
  source: Source,
  spans: readonly Span[],
  signal: AbortSignal,
): Promise<readonly Span[]> {
  const known = new Set(spans.map((span) => span.traceId));
  const requests = groupBy(
    spans.filter((span) => isEntry(span) && span.serviceName !== null),
    (span) => span.serviceName ?? '',
  );
  const found = await Promise.all(
    requests.slice(0, mostServices).map(async (ofService) => {
      const service = ofService[0]?.serviceName ?? null;
      const query = { service, ...spanTime(ofService), limit: mostDetached };
      const arrived = await source.searchTraces(query, signal);
      const traces = [...groupByTrace(arrived).values()].filter(
        (trace) => !known.has(trace[0]?.traceId ?? ''),
      );
      return selectDetached(traces, ofService).flat();
    }),
  );
  return found.flat();
}

/** Leaves out jobs: their traces also begin while no request is open. */
function selectDetached(
  traces: readonly (readonly Span[])[],
  requests: readonly Span[],
): readonly (readonly Span[])[] {
  const service = requests[0]?.serviceName;
  const isOfService = (span: Span): boolean => span.serviceName === service;
  const open = [...requests, ...traces.flat().filter((span) => isEntry(span) && isOfService(span))];
  const begun = traces.flatMap((trace) => {
    const root = trace.find((span) => span.parentSpanId === null);
    return root === undefined || isEntry(root) || !isOfService(root) ? [] : [{ trace, root }];
  });
  const jobs = new Set(begun.filter(({ root }) => !beginsWithin(root, open)).map(({ root }) => root.name));
  return begun
    .filter(({ root }) => beginsWithin(root, requests) && !jobs.has(root.name))
    .map(({ trace }) => trace);
}

function beginsWithin({ startTimeUnixNano }: Span, requests: readonly Span[]): boolean {
  return requests.some(
    (request) =>
      startTimeUnixNano >= request.startTimeUnixNano && startTimeUnixNano <= request.endTimeUnixNano,
  );
}

/** Selects the traces that began as the other side of one of these loose ends. */
export function selectOtherSides(spans: readonly Span[], looseEnds: readonly Span[]): readonly Span[] {
  if (spans.length === 0 || looseEnds.length === 0) return [];
  return [...groupByTrace(spans).values()].filter((trace) => isOtherSide(trace, looseEnds, fits)).flat();
}

/**
 * Chooses the services to search first; null stands for all. All are searched in memory, and in a thorough search if a call names no service,
 * for example a call to `localhost`.
 */
function chooseServices({
  source,
  services,
  looseEnds,
  expectation,
  isThorough,
}: OtherSideQuery): readonly (string | null)[] {
  if (source.isInMemory === true) return [null];
  const guesses = looseEnds.map((client) => guessCalledServices(client, expectation));
  const named = new Set([...services, ...guesses.flat()]);
  const isAnyUnnamed = isThorough && services.length === 0 && guesses.some((names) => names.length === 0);
  return [...[...named].slice(0, mostServices), ...(isAnyUnnamed ? [null] : [])];
}

/**
 * Guesses the services that a call may reach: expected ones, the peer, the RPC service, and the host, which often has the name of its
 * service.
 */
function guessCalledServices(client: Span, { edges }: Expectation): readonly string[] {
  const expected = edges
    .filter((edge) => edge.client === client.serviceName && edge.rule !== 'must-not')
    .map((edge) => edge.server);
  const { host, rpcMethod } = readCallFacts(client);
  const rpcService = rpcMethod?.split('/')[0] ?? null;
  return [
    ...expected,
    readPeerService(client),
    ...(host !== null && isNameOfAnother(host) ? [host, host.split('.')[0] ?? host] : []),
    rpcService,
  ].filter((name) => name !== null);
}

type FitsCall = (client: Span, entry: Span) => boolean;

function isOtherSide(trace: readonly Span[], looseEnds: readonly Span[], isSide: FitsCall): boolean {
  return listBeginnings(trace).some((entry) => looseEnds.some((client) => isSide(client, entry)));
}

/** The requests and messages of a trace whose parent is not in it. */
function listBeginnings(trace: readonly Span[]): readonly Span[] {
  const ids = new Set(trace.map((span) => span.spanId));
  return trace.filter((span) => isEntry(span) && (span.parentSpanId === null || !ids.has(span.parentSpanId)));
}

/**
 * Whether an entry span links to a span. A service that does not trust its callers begins a new trace, and links its entry span to the
 * span in the traceparent header.
 */
export function isLinkedTo(entry: Span, { traceId, spanId }: Span): boolean {
  return entry.links.some((link) => link.traceId === traceId && link.spanId === spanId);
}

function fits(client: Span, entry: Span): boolean {
  if (isLinkedTo(entry, client)) return true;
  if (client.kind !== 'PRODUCER') {
    return startsDuring(entry, client, thresholds) && compareRequests(client, entry) !== 'no';
  }
  const topic = readCallFacts(client).destination;
  return (
    entry.kind === 'CONSUMER' &&
    entry.startTimeUnixNano >= client.startTimeUnixNano &&
    topic === readCallFacts(entry).destination
  );
}

/** Among the requests of all services, some of every path come at the time of a call. */
function fitsCertainly(client: Span, entry: Span): boolean {
  return fits(client, entry) && compareRequests(client, entry) === 'yes' && isAddressedTo(client, entry);
}

function spanTime(spans: readonly Span[]): { readonly startTimeMin: number; readonly startTimeMax: number } {
  const starts = spans.map((span) => toMilliseconds(span.startTimeUnixNano));
  const ends = spans.map((span) => toMilliseconds(span.endTimeUnixNano));
  return {
    startTimeMin:
      starts.reduce((least, time) => (time < least ? time : least), Number.POSITIVE_INFINITY) - marginMs,
    startTimeMax: ends.reduce((most, time) => (time > most ? time : most), 0) + marginMs,
  };
}
