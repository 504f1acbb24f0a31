import { readCallFacts } from '../calls/call-facts.ts';
import type { TraceGraph } from '../graph/trace-graph.ts';
import type { Span } from '../span/span.ts';
import { keyFor } from '../util/group-by.ts';
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

/** The propagation headers of one call; null where nobody looked. */
export interface CallHeaders {
  /** As they left the caller. */
  readonly sent: SeenContext | null;
  /** As they reached the called service. */
  readonly received: SeenContext | null;
  /** Whether `sent` was seen where the caller put it on the wire: nothing stands in between. */
  readonly isAtCaller: boolean;
  /** Whether `received` was seen where the called service took it from the wire. */
  readonly isAtCallee: boolean;
  /** Whether an id of the call, or the place of the tap, says that this is of the call. Otherwise only its time does. */
  readonly isTied: boolean;
  /** Whether no tap saw the call, and the services themselves say this. */
  readonly isRecorded: boolean;
  /** The addresses at which the taps that saw it were called. */
  readonly calledAt: readonly string[];
  /** Changes that a tap itself made to the request. */
  readonly injected: readonly string[];
  /** The span that the called service named as its own; null where nobody looked, and where a cache gave the answer of another call. */
  readonly answer: CallAnswer | null;
}

/** Propagation headers that taps and services have seen. */
export interface HeaderEvidence {
  /** Records of taps, in the order in which the requests came. */
  readonly wire: readonly WireRecord[];
  readonly received: readonly ReceivedTraceparent[];
}

/** Nothing is known but the spans. */
export const noHeaderEvidence: HeaderEvidence = { wire: [], received: [] };

/** The services of a call, as a finding says: of a side without a span nothing else is known. */
export interface CallServices {
  readonly client: string | null;
  readonly server: string | null;
}

/** The headers of a call by its two sides; null when nothing is known. */
export type HeaderLookup = (
  client: Span | null,
  server: Span | null,
  services: CallServices,
) => CallHeaders | null;

/** Prepares the look-up for the spans that are checked. */
export function indexHeaders(
  evidence: HeaderEvidence,
  spans: TraceGraph,
  recordingOf = learnRecording(spans),
): HeaderLookup {
  const { byId, unnamed } = indexBySpan(evidence.wire, spans);
  const anonymous = indexRecords(unnamed);
  const told = rememberSummaries();
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
        ? [...own, ...findNested(anonymous, own, told, (record) => isInFront(record, calleeSide))]
        : findByTime(anonymous, client ?? server, callerSide, told);
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
    // Calls at the same time may be paired crosswise: the tap stands where it stands.
    const isAtCallee = isOfServer || endsAt(last, calleeSide.service);
    // A tap records every connection; time, method and path alone fit other callers too.
    const isTied =
      own.length > 0
        ? own.includes(last) || isOfServer
        : (client !== null && isAtCaller) || (server !== null && isOfServer);
    if (!isTied && captured !== null) return describeCaptured(captured);
    // Where the tap is not beside a service, that service's own record is nearer to it.
    const sent = isAtCaller ? null : (captured?.sent ?? null);
    const received = isAtCallee ? null : (captured?.received ?? null);
    return {
      sent: sent ?? seeAll(first.sent),
      received:
        received === null
          ? last.received && seeAll(last.received)
          : // Values of baggage are often hidden in spans.
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

/** Records by the spans that their headers name, and those that name none of the data. */
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
    // An answer that continues the caller's trace is of the service that took the call.
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

/** A caller writes the id of its own span: a `traceparent` with another one, at a tap that it calls, is of another call. */
function namesAnother(record: WireRecord, caller: CallSide): boolean {
  if (caller.span === null) return false;
  const reading = record.sent.contexts.find(({ format }) => format === 'tracecontext');
  return reading?.state === 'valid' && isCalledBy(record, caller);
}

/** Reads the spans that answers name. A span that is named twice comes from a cache, and tells nothing of this call. */
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
 * The order in which a request passed the taps: by their places, as the clocks of two machines differ, and then by time. Their ends only
 * hint at it: a tap notes its own after the answer has gone on.
 */
function outermostFirst(
  isCallers: (record: WireRecord) => boolean,
  isCallees: (record: WireRecord) => boolean,
): (left: WireRecord, right: WireRecord) => number {
  const rank = (record: WireRecord): number => Number(isCallees(record)) - Number(isCallers(record));
  return (left, right) =>
    rank(left) - rank(right) || timeOf(left) - timeOf(right) || right.durationMs - left.durationMs;
}

/** Requests that are alike and at the same time are a crowd, of which a record proves nothing for any. */
const maxAlike = 1_000;

/**
 * Finds records of the same request at other taps, after its ids were lost: the same method and path, begun within its time. Ends have
 * no order: a tap notes its own after the answer has gone on, and may be late to it.
 */
function findNested(
  anonymous: RecordIndex,
  own: readonly WireRecord[],
  told: (record: WireRecord) => string,
  isCallees: (record: WireRecord) => boolean,
): readonly WireRecord[] {
  const outer = own[0];
  if (outer === undefined) return [];
  const taps = new Set(own.map((record) => record.tap));
  const from = timeOf(outer);
  const to = from + outer.durationMs;
  const fits = (record: WireRecord): boolean => !taps.has(record.tap) && !isBefore(record, outer);
  return takeOfEachTap(anonymous.underWay(outer, from - rounding, to + rounding), fits, told, isCallees);
}

/** Whether a request came too early to be one that another tap had passed on. Taps of one machine read one clock. */
function isBefore(record: WireRecord, outer: WireRecord): boolean {
  const early = timeOf(outer) - timeOf(record);
  return early > rounding || (early > 0 && record.host !== null && record.host === outer.host);
}

/**
 * Records without an id of the data, taken while the call was open, at the same method and path. Where the caller called one of the taps,
 * an earlier record of another tap is of the call before.
 */
function findByTime(
  anonymous: RecordIndex,
  span: Span | null,
  caller: CallSide,
  told: (record: WireRecord) => string,
): readonly WireRecord[] {
  if (span === null) return [];
  const start = Number(span.startTimeUnixNano / 1_000_000n);
  const asked = readAsked(span);
  const isMeant = (record: WireRecord): boolean => !namesAnother(record, caller);
  if (span.kind === 'SERVER') {
    return takeOfEachTap(anonymous.underWay(asked, start - rounding, start + rounding), isMeant, told);
  }
  const end = Number(span.endTimeUnixNano / 1_000_000n) + 1;
  const isDuring = (record: WireRecord): boolean => isMeant(record) && timeOf(record) >= start - rounding;
  const take = (fits: (record: WireRecord) => boolean): readonly WireRecord[] =>
    takeOfEachTap(anonymous.underWay(asked, start - rounding, end), fits, told);
  const found = take(isDuring);
  const outer = found.find((record) => isCalledBy(record, caller));
  if (outer === undefined) return found;
  return take((record) => isDuring(record) && (record.tap === outer.tap || !isBefore(record, outer)));
}

/**
 * One record of each tap of which all that fit tell the same; of another tap none proves anything. Calls at the same time may be paired
 * crosswise: the record of the very SERVER span is taken where it is among them.
 */
function takeOfEachTap(
  records: Iterable<WireRecord>,
  fits: (record: WireRecord) => boolean,
  told: (record: WireRecord) => string,
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
    if (first !== undefined && told(first) !== told(record)) torn.add(record.tap);
    // The first request at a tap is the first at every tap behind it.
    if (first === undefined || isBetter(record, first)) found.set(record.tap, record);
  }
  return [...found.values()].filter(({ tap }) => !torn.has(tap));
}

/** An RPC is a request to the path that its method is. */
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

/** Each of several headers names the call. */
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

/** The content of a record, without its ids. */
function summarize({ tap, sent, received }: WireRecord): string {
  const tell = (context: WireContext | null): readonly unknown[] | null =>
    context?.contexts.map((reading) => [
      reading.format,
      reading.state,
      'sampled' in reading && reading.sampled,
    ]) ?? null;
  const baggage = [sent, received].map((context) => context?.baggage);
  return JSON.stringify([tap, tell(sent), tell(received), baggage]);
}
