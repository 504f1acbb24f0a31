import { readCallFacts } from '../calls/call-facts.ts';
import type { Span } from '../span/span.ts';
import { keyFor } from '../util/group-by.ts';
import type { AnsweredSpan, HeaderField, WireContext, WireRecord } from './evidence.ts';
import { parseTraceparent, splitTraceparents } from './parse-traceparent.ts';
import { headerValues } from './propagation-header.ts';
import { readWireContext } from './read-wire-context.ts';
import { joinAddress } from './socket-address.ts';

/** What is known of the propagation headers of one call; null where nobody looked. */
export interface CallHeaders {
  /** As they left the caller. */
  readonly sent: WireContext | null;
  /** As they reached the called service. */
  readonly received: WireContext | null;
  /** Whether `sent` was seen where the caller put it on the wire: nothing stands in between. */
  readonly isAtCaller: boolean;
  /** Whether `received` was seen where the called service took it from the wire. */
  readonly isAtCallee: boolean;
  /** Only `traceparent` was looked at, so that its absence does not exclude other formats. */
  readonly onlyTraceparent: boolean;
  /** What a tap itself did to the request. */
  readonly injected: readonly string[];
  /** What the called service said of its own span; null where nobody looked, and where a cache gave the answer of another call. */
  readonly answer: CallAnswer | null;
}

export interface CallAnswer {
  /** Null where the answer names none. */
  readonly span: AnsweredSpan | null;
  /** Whether that span is in the data. */
  readonly isDelivered: boolean;
  /** Whether other answers that the same tap saw do name a span. */
  readonly isUsual: boolean;
}

/** The `traceparent` with which a SERVER span began, as its service says. */
export interface ReceivedTraceparent {
  /** Of the SERVER span. */
  readonly traceId: string;
  /** Of the SERVER span. */
  readonly spanId: string;
  /** Null when the request had none. */
  readonly traceparent: string | null;
}

export interface HeaderEvidence {
  /** Records of taps, in the order in which the requests came. */
  readonly wire: readonly WireRecord[];
  readonly received: readonly ReceivedTraceparent[];
}

export const noHeaderEvidence: HeaderEvidence = { wire: [], received: [] };

/** What is known of the headers of a call by its two sides; null when nothing is. */
export type HeaderLookup = (client: Span | null, server: Span | null) => CallHeaders | null;

/** Prepares the look-up for the spans that are checked. */
export function indexHeaders(evidence: HeaderEvidence, spans: readonly Span[]): HeaderLookup {
  const known = new Set(spans.flatMap((span) => [span.spanId, span.parentSpanId ?? span.spanId]));
  const byId = new Map<string, WireRecord[]>();
  const anonymous: WireRecord[] = [];
  for (const record of evidence.wire) {
    const ids = readSpanIds(record).filter((id) => known.has(id));
    for (const id of new Set(ids)) {
      const ofId = byId.get(id);
      if (ofId === undefined) byId.set(id, [record]);
      else ofId.push(record);
    }
    if (ids.length === 0) anonymous.push(record);
  }
  const readAnswer = indexAnswers(evidence.wire, spans);
  const said = new Map(evidence.received.map((entry) => [`${entry.traceId}:${entry.spanId}`, entry]));
  return (client, server) => {
    const own = [client?.spanId, server?.parentSpanId].flatMap((id) => byId.get(id ?? '') ?? []);
    const records =
      own.length > 0 ? [...own, ...findNested(anonymous, own)] : findByTime(anonymous, client ?? server);
    const named = [...new Set(records)].sort(outermostFirst);
    const [first, last] = [named[0], named.at(-1)];
    if (first !== undefined && last !== undefined) {
      const injected = named.flatMap((record) => record.faults);
      // Several records without an id of the call may be of different calls.
      const answer = own.length > 0 ? readAnswer(last) : null;
      return {
        sent: first.sent,
        received: last.received,
        isAtCaller: isCalledBy(first, client),
        isAtCallee: isInFrontOf(last, server),
        onlyTraceparent: false,
        injected,
        answer,
      };
    }
    const entry = said.get(`${server?.traceId}:${server?.spanId}`);
    const sent = readCapturedHeader(client);
    const received = entry === undefined ? readCapturedHeader(server) : toContext(entry.traceparent);
    return sent === null && received === null
      ? null
      : {
          sent,
          received,
          isAtCaller: true,
          isAtCallee: true,
          onlyTraceparent: true,
          injected: [],
          answer: null,
        };
  };
}

/**
 * Whether the caller's connection ends at this tap, by the address that its CLIENT span names, or by the word of whoever placed the
 * tap. A record is of one place: what stands between it and either service is unknown otherwise.
 */
function isCalledBy(record: WireRecord, client: Span | null): boolean {
  if (client === null) return record.client !== null;
  if (record.client === client.serviceName) return true;
  return record.calledAt !== null && readPeerAddresses(client).includes(record.calledAt);
}

/** Whether the tap's connection ends at the called service, by the address of the peer that its SERVER span names. */
function isInFrontOf(record: WireRecord, server: Span | null): boolean {
  if (server === null) return record.server !== null;
  if (record.server === server.serviceName) return true;
  return record.callsFrom !== null && readPeerAddresses(server).includes(record.callsFrom);
}

/** Attributes for the other end of a connection, in the names of every generation of the semantic conventions. */
const peerAttributes = [
  ['network.peer.address', 'network.peer.port'],
  ['net.sock.peer.addr', 'net.sock.peer.port'],
  ['net.peer.ip', 'net.peer.port'],
] as const;

function readPeerAddresses(span: Span): readonly string[] {
  const peers = peerAttributes.flatMap(([address, port]) =>
    join(span.attributes.get(address), span.attributes.get(port)),
  );
  // The peer of the connection comes first: behind a forward proxy, the address in the URL is another.
  if (span.kind !== 'CLIENT' || peers.length > 0) return peers;
  // The address that was called. A name says nothing: it may be the gateway's.
  const { host, port } = readCallFacts(span);
  if (host === null || port === null) return peers;
  const plain = host.replace(/^\[|\]$/g, '');
  return [
    ...peers,
    ...(plain === 'localhost' ? ['127.0.0.1', '::1'] : [plain]).map((one) => joinAddress(one, port)),
  ];
}

function join(address: unknown, port: unknown): readonly string[] {
  return typeof address === 'string' && Number(port) > 0 ? [joinAddress(address, Number(port))] : [];
}

/** What the answers say of spans. One that is named twice comes from a cache, and tells nothing of this call. */
function indexAnswers(
  records: readonly WireRecord[],
  spans: readonly Span[],
): (record: WireRecord) => CallAnswer | null {
  const delivered = new Set(spans.map((span) => `${span.traceId}:${span.spanId}`));
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
    return { span, isDelivered: delivered.has(`${span.traceId}:${span.spanId}`), isUsual: true };
  };
}

/** A request is the longer, the nearer to the caller it was seen. */
function outermostFirst(left: WireRecord, right: WireRecord): number {
  return timeOf(left) - timeOf(right) || right.durationMs - left.durationMs;
}

/** What other taps saw of the same request, after its ids were lost: the same method and path, within its time. */
function findNested(anonymous: readonly WireRecord[], own: readonly WireRecord[]): readonly WireRecord[] {
  const outer = own[0];
  if (outer === undefined) return [];
  const taps = new Set(own.map((record) => record.tap));
  const from = timeOf(outer);
  const fitting = anonymous.filter((record) => {
    const time = timeOf(record);
    return (
      !taps.has(record.tap) &&
      record.method === outer.method &&
      record.path === outer.path &&
      time >= from - 1 &&
      time + record.durationMs <= from + outer.durationMs + 1
    );
  });
  return new Set(fitting.map(summarize)).size === 1 ? fitting.slice(0, 1) : [];
}

/**
 * Records without an id of the data, taken while the call was open, at the same method and path.
 * Where several requests fit, they must all tell the same; otherwise none of them proves anything.
 */
function findByTime(records: readonly WireRecord[], span: Span | null): readonly WireRecord[] {
  if (span === null) return [];
  const fitting = records.filter((record) => happenedDuring(record, span) && isSameRequest(record, span));
  return new Set(fitting.map(summarize)).size === 1 ? fitting : [];
}

const times = new WeakMap<WireRecord, number>();

/** Milliseconds since the Unix epoch. */
function timeOf(record: WireRecord): number {
  const known = times.get(record);
  if (known !== undefined) return known;
  const time = Date.parse(record.time);
  times.set(record, time);
  return time;
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

/** What a record tells, without its ids. */
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

function happenedDuring(record: WireRecord, span: Span): boolean {
  const time = timeOf(record);
  const start = Number(span.startTimeUnixNano / 1_000_000n);
  const end = Number(span.endTimeUnixNano / 1_000_000n) + 1;
  return span.kind === 'SERVER'
    ? time <= start + 1 && time + record.durationMs + 1 >= start
    : time >= start - 1 && time <= end;
}

function isSameRequest(record: WireRecord, span: Span): boolean {
  const { method, path, rpcMethod } = readCallFacts(span);
  if (rpcMethod !== null) return record.path === `/${rpcMethod}`;
  return (method === null || method === record.method) && (path === null || path === record.path);
}

/** Instrumentation can be told to record headers (semantic conventions, `http.request.header.<key>`). */
function readCapturedHeader(span: Span | null): WireContext | null {
  const value = span?.attributes.get('http.request.header.traceparent');
  if (value === undefined) return null;
  return readWireContext(listValues(value).map((one) => ({ name: 'traceparent', value: one })));
}

/** The values of a header: a list, or as Jaeger stores a list, its JSON as a text. */
export function listValues(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String);
  const text = String(value);
  if (!text.startsWith('[')) return [text];
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list.map(String) : [text];
  } catch {
    return [text];
  }
}

function toContext(traceparent: string | null): WireContext {
  const fields: readonly HeaderField[] =
    traceparent === null ? [] : [{ name: 'traceparent', value: traceparent }];
  return readWireContext(fields);
}
