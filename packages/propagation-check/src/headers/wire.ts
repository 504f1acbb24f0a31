import { readCallFacts } from '../calls/call-facts.ts';
import type { TraceGraph } from '../graph/trace-graph.ts';
import type { Span } from '../span/span.ts';
import { keyFor } from '../util/group-by.ts';
import { toMilliseconds } from '../util/to-milliseconds.ts';
import {
  type CallAnswer,
  type CapturedHeaders,
  indexCaptured,
  type ReceivedTraceparent,
  type SeenContext,
} from './captured.ts';
import type { PropagationFormat, WireContext, WireRecord } from './evidence.ts';
import { indexConnections } from './index-connections.ts';
import { askForMcp } from './mcp-record.ts';
import { parseTraceparent, splitTraceparents } from './parse-traceparent.ts';
import { type CallSide, findHost, isCalledBy } from './place.ts';
import { formats, headerValues } from './propagation-header.ts';
import { type Asked, indexRecords, type RecordIndex, rounding, timeOf } from './record-index.ts';
import { learnRecording } from './recording.ts';

/** The propagation headers of one call; a side is null if nobody recorded it. */
export interface CallHeaders {
  /** The headers that left the caller. */
  readonly sent: SeenContext | null;
  /** The headers that reached the callee. */
  readonly received: SeenContext | null;
  /** Whether `sent` was seen where the caller sent it, with no hop between. */
  readonly isAtCaller: boolean;
  /** Whether `received` was seen where the callee received it. */
  readonly isAtCallee: boolean;
  /**
   * Whether an id of the call, or the place of the tap, proves that the headers belong to this call. Otherwise only the time suggests it.
   */
  readonly isTied: boolean;
  /** Whether no tap saw the call and the headers come from the services' own spans. */
  readonly isRecorded: boolean;
  /** The addresses at which the caller reached the taps that saw the call. */
  readonly calledAt: readonly string[];
  /** Faults that a tap injected into the request. */
  readonly injected: readonly string[];
  /** The span that the callee named as its own; null if nobody recorded answers, or a cache returned the answer of another call. */
  readonly answer: CallAnswer | null;
}

/** Propagation headers that taps and services recorded. */
export interface HeaderEvidence {
  /** Tap records, in the order of the requests. */
  readonly wire: readonly WireRecord[];
  readonly received: readonly ReceivedTraceparent[];
}

/** No headers beyond those on spans. */
export const noHeaderEvidence: HeaderEvidence = { wire: [], received: [] };

/** The services of a call as a finding names them; used for a side without a span. */
export interface CallServices {
  readonly client: string | null;
  readonly server: string | null;
}

/** The headers of a call by its two sides; null if nothing is known. */
export type HeaderLookup = (
  client: Span | null,
  server: Span | null,
  services: CallServices,
) => CallHeaders | null;

/** Prepares the look-up for the spans of a check. */
export function indexHeaders(
  evidence: HeaderEvidence,
  spans: TraceGraph,
  recordingOf = learnRecording(spans),
): HeaderLookup {
  const { byId, unnamed } = indexBySpan(evidence.wire, spans);
  const anonymous = indexRecords(unnamed);
  const summaryOf = rememberSummaries();
  const readAnswer = indexAnswers(evidence.wire, spans);
  const readCaptured = indexCaptured(evidence, spans, recordingOf);
  if (evidence.wire.length === 0) return (client, server) => describeCaptured(readCaptured(client, server));
  const { isInFront, endsAt } = indexConnections(evidence.wire, spans);
  return (client, server, services) => {
    const callerSide = { span: client, service: client === null ? services.client : client.serviceName };
    const calleeSide = { span: server, service: server === null ? services.server : server.serviceName };
    const own = [client?.spanId, server?.parentSpanId].flatMap((id) => byId.get(id ?? '') ?? []);
    const records =
      own.length > 0
        ? [...own, ...findNested(anonymous, own, summaryOf, (record) => isInFront(record, calleeSide))]
        : findByTime(anonymous, client ?? server, callerSide, summaryOf);
    const seen = [...new Set(records)].sort(
      outermostFirst(
        (record) => isCalledBy(record, callerSide),
        (record) => isInFront(record, calleeSide),
      ),
    );
    const [first, last] = [seen[0], seen.at(-1)];
    const captured = readCaptured(client, server);
    if (first === undefined || last === undefined) return describeCaptured(captured);
    const isAtCaller = isCalledBy({ ...first, host: first.host ?? findHost(last, server) }, callerSide);
    const isOfServer = isInFront(last, calleeSide);
    // Concurrent calls may be paired crosswise, but the tap's place stays the same.
    const isAtCallee = isOfServer || endsAt(last, calleeSide.service);
    // A tap records every connection; time, method and path alone also match other callers.
    const isTied =
      own.length > 0
        ? own.includes(last) || isOfServer
        : (client !== null && isAtCaller) || (server !== null && isOfServer);
    if (!isTied && captured !== null) return describeCaptured(captured);
    // Where no tap is directly beside a service, the service's own record is closer.
    const sent = isAtCaller ? null : (captured?.sent ?? null);
    const received = isAtCallee ? null : (captured?.received ?? null);
    return {
      sent: sent ?? seeAll(first.sent),
      received:
        received === null
          ? last.received && seeAll(last.received)
          : // Baggage values are often hidden on spans.
            { ...received, baggage: last.received?.baggage ?? received.baggage },
      isAtCaller: isAtCaller || sent !== null,
      isAtCallee: isAtCallee || received !== null,
      isTied,
      isRecorded: false,
      calledAt: seen.flatMap((record) => record.calledAt ?? []),
      injected: [...new Set(seen.flatMap((record) => record.faults))],
      // Several records without an id of the call may be of different calls.
      answer: (own.length > 0 ? readAnswer(last) : null) ?? captured?.answer ?? null,
    };
  };
}

/** Records by the ids of spans in the capture that their headers name, and records that name none. */
function indexBySpan(wire: readonly WireRecord[], spans: TraceGraph) {
  const named = wire.map((record) => ({ record, ids: readSpanIds(record) }));
  const known = spans.selectKnownIds(new Set(named.flatMap(({ ids }) => ids)));
  const byId = new Map<string, WireRecord[]>();
  const unnamed: WireRecord[] = [];
  for (const { record, ids } of named) {
    const ofData = new Set(ids.filter((id) => known.has(id)));
    for (const id of ofData) {
      const ofId = byId.get(id);
      if (ofId === undefined) byId.set(id, [record]);
      else ofId.push(record);
    }
    if (ofData.size === 0) unnamed.push(record);
  }
  return { byId, unnamed };
}

function describeCaptured(captured: CapturedHeaders | null): CallHeaders | null {
  if (captured === null) return null;
  const { received, answer } = captured;
  return {
    ...captured,
    isAtCaller: true,
    // An answer that names a span in the caller's trace comes from the service that received the call.
    isAtCallee: received !== null || answer?.span != null,
    isTied: true,
    isRecorded: true,
    calledAt: [],
    injected: [],
  };
}

const everyFormat: ReadonlySet<PropagationFormat> = new Set(formats);

function seeAll(context: WireContext): SeenContext {
  return { ...context, lookedFor: everyFormat };
}

/**
 * A caller sends its own span id, which is not in this record: a valid `traceparent` at a tap that the caller reaches directly belongs to
 * another call.
 */
function namesAnother(record: WireRecord, caller: CallSide): boolean {
  if (caller.span === null) return false;
  const reading = record.sent.contexts.find(({ format }) => format === 'tracecontext');
  return reading?.state === 'valid' && isCalledBy(record, caller);
}

/** Reads which spans the answers name. A span that several answers name was served from a cache and says nothing about this call. */
function indexAnswers(
  records: readonly WireRecord[],
  spans: TraceGraph,
): (record: WireRecord) => CallAnswer | null {
  const naming = records.flatMap(({ tap, answered }) =>
    answered?.span == null ? [] : [{ tap, ...answered.span }],
  );
  const usual = new Set(naming.map(({ tap }) => tap));
  const named = new Map<string, number>();
  for (const { tap, traceId, spanId } of naming) {
    const key = keyFor(tap, traceId, spanId);
    named.set(key, (named.get(key) ?? 0) + 1);
  }
  return ({ tap, answered }) => {
    if (answered === null) return null;
    const { span } = answered;
    if (span === null) return { span, isDelivered: false, isUsual: usual.has(tap) };
    if ((named.get(keyFor(tap, span.traceId, span.spanId)) ?? 0) > 1) return null;
    return { span, isDelivered: spans.hasSpan(span.traceId, span.spanId), isUsual: true };
  };
}

/**
 * Orders records as the request passed the taps: by place first, because the clocks of two machines differ, then by time. Ends only hint at
 * the order, because a tap records its end after it has passed the answer on.
 */
function outermostFirst(
  isCallers: (record: WireRecord) => boolean,
  isCallees: (record: WireRecord) => boolean,
): (left: WireRecord, right: WireRecord) => number {
  const rank = (record: WireRecord): number => Number(isCallees(record)) - Number(isCallers(record));
  return (left, right) =>
    rank(left) - rank(right) || timeOf(left) - timeOf(right) || right.durationMs - left.durationMs;
}

/** So many similar requests at one time that no record identifies its request. */
const maxAlike = 1_000;

/**
 * Finds records of the same request at other taps after its ids were lost: same method and path, begun while the request was open. Their
 * ends are ignored, because a tap may record its end late.
 */
function findNested(
  anonymous: RecordIndex,
  own: readonly WireRecord[],
  summaryOf: (record: WireRecord) => string,
  isCallees: (record: WireRecord) => boolean,
): readonly WireRecord[] {
  const outer = own[0];
  if (outer === undefined) return [];
  const taps = new Set(own.map((record) => record.tap));
  const from = timeOf(outer);
  const to = from + outer.durationMs;
  const fits = (record: WireRecord): boolean => !taps.has(record.tap) && !isBefore(record, outer);
  return takeOfEachTap(anonymous.underWay(outer, from - rounding, to + rounding), fits, summaryOf, isCallees);
}

/** Whether a request came too early to have been forwarded by the other tap. Taps on one machine share a clock. */
function isBefore(record: WireRecord, outer: WireRecord): boolean {
  const early = timeOf(outer) - timeOf(record);
  return early > rounding || (early > 0 && record.host !== null && record.host === outer.host);
}

/**
 * Finds records without ids of the capture, by method and path, taken while the call was open. If the caller called one of the taps, an
 * earlier record at another tap belongs to an earlier call.
 */
function findByTime(
  anonymous: RecordIndex,
  span: Span | null,
  caller: CallSide,
  summaryOf: (record: WireRecord) => string,
): readonly WireRecord[] {
  if (span === null) return [];
  const start = toMilliseconds(span.startTimeUnixNano);
  const asked = readAsked(span);
  const isMeant = (record: WireRecord): boolean => !namesAnother(record, caller);
  if (span.kind === 'SERVER') {
    return takeOfEachTap(anonymous.underWay(asked, start - rounding, start + rounding), isMeant, summaryOf);
  }
  const end = toMilliseconds(span.endTimeUnixNano) + 1;
  const isDuring = (record: WireRecord): boolean => isMeant(record) && timeOf(record) >= start - rounding;
  const take = (fits: (record: WireRecord) => boolean): readonly WireRecord[] =>
    takeOfEachTap(anonymous.underWay(asked, start - rounding, end), fits, summaryOf);
  const found = take(isDuring);
  const outer = found.find((record) => isCalledBy(record, caller));
  if (outer === undefined) return found;
  return take((record) => isDuring(record) && (record.tap === outer.tap || !isBefore(record, outer)));
}

/**
 * One record for each tap at which all matching records say the same; a tap with contradictory records proves nothing. Concurrent calls may
 * be paired crosswise, so the record in front of this SERVER span is preferred.
 */
function takeOfEachTap(
  records: Iterable<WireRecord>,
  fits: (record: WireRecord) => boolean,
  summaryOf: (record: WireRecord) => string,
  isCallees: (record: WireRecord) => boolean = () => false,
): readonly WireRecord[] {
  const found = new Map<string, WireRecord>();
  const torn = new Set<string>();
  const isBetter = (record: WireRecord, other: WireRecord): boolean => {
    const [is, was] = [isCallees(record), isCallees(other)];
    return is === was ? timeOf(record) <= timeOf(other) : is;
  };
  let looks = 0;
  for (const record of records) {
    looks += 1;
    if (looks > maxAlike) return [];
    if (!fits(record)) continue;
    const first = found.get(record.tap);
    if (first !== undefined && summaryOf(first) !== summaryOf(record)) torn.add(record.tap);
    // The first request at one tap is also the first at the taps behind it.
    if (first === undefined || isBetter(record, first)) found.set(record.tap, record);
  }
  return [...found.values()].filter(({ tap }) => !torn.has(tap));
}

/** A gRPC call is a POST to the path of its method. */
function readAsked(span: Span): Asked {
  const { method, path, rpcMethod, mcp } = readCallFacts(span);
  if (mcp !== null) return askForMcp(mcp);
  return rpcMethod === null ? { method, path } : { method: null, path: `/${rpcMethod}` };
}

function readSpanIds({ sent, received }: WireRecord): readonly string[] {
  return [sent, received].flatMap((context) =>
    context === null
      ? []
      : [
          ...context.contexts.flatMap((reading) => (reading.state === 'valid' ? (reading.spanId ?? []) : [])),
          ...readDuplicates(context),
        ],
  );
}

/** Each of several `traceparent` headers may name the call. */
function readDuplicates({ headers, contexts }: WireContext): readonly string[] {
  const isTwice = contexts.some(({ format, state }) => format === 'tracecontext' && state === 'duplicated');
  if (!isTwice) return [];
  return splitTraceparents(headerValues(headers, 'traceparent')).flatMap((value) => {
    const read = parseTraceparent(value);
    return read.state === 'valid' ? [read.spanId] : [];
  });
}

function rememberSummaries(): (record: WireRecord) => string {
  const known = new Map<WireRecord, string>();
  return (record) => {
    const summary = known.get(record) ?? summarize(record);
    known.set(record, summary);
    return summary;
  };
}

/** The content of a record without ids. */
function summarize({ tap, sent, received }: WireRecord): string {
  const listContexts = (context: WireContext | null): readonly unknown[] | null =>
    context?.contexts.map((reading) => [
      reading.format,
      reading.state,
      'sampled' in reading && reading.sampled,
    ]) ?? null;
  const baggage = [sent, received].map((context) => context?.baggage);
  return JSON.stringify([tap, listContexts(sent), listContexts(received), baggage]);
}
