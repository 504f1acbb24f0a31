import { readCallFacts } from './call-facts.ts';
import type { HeaderField, WireContext, WireRecord } from './evidence.ts';
import type { Span } from './span.ts';
import { readWireContext } from './tap/read-wire-context.ts';

/** What is known of the propagation headers of one call; null where nobody looked. */
export interface CallHeaders {
  /** As they left the caller. */
  readonly sent: WireContext | null;
  /** As they reached the called service. */
  readonly received: WireContext | null;
  /** Only `traceparent` was looked at, so that its absence does not exclude other formats. */
  readonly onlyTraceparent: boolean;
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

/** Looks up what is known of the headers of a call; null when nothing is. */
export function readCallHeaders(
  evidence: HeaderEvidence,
  client: Span | null,
  server: Span | null,
): CallHeaders | null {
  const records = evidence.wire.filter((record) => belongsTo(record, client, server));
  const [first, last] = [records[0], records.at(-1)];
  if (first !== undefined && last !== undefined) {
    return { sent: first.sent, received: last.received, onlyTraceparent: false };
  }
  const said = evidence.received.find(
    (entry) => entry.spanId === server?.spanId && entry.traceId === server.traceId,
  );
  const sent = readCapturedHeader(client);
  const received = said === undefined ? readCapturedHeader(server) : toContext(said.traceparent);
  return sent === null && received === null ? null : { sent, received, onlyTraceparent: true };
}

/**
 * A record belongs to a call when it carries the ids of one of its spans; otherwise, when it was taken
 * while the call was open, at the same method and path, and no id in it contradicts.
 */
function belongsTo(record: WireRecord, client: Span | null, server: Span | null): boolean {
  const spanIds = [record.sent, record.received].flatMap(
    (context) =>
      context?.contexts.flatMap((reading) => (reading.state === 'valid' ? (reading.spanId ?? []) : [])) ?? [],
  );
  if (client !== null && spanIds.includes(client.spanId)) return true;
  if (server !== null && server.parentSpanId !== null && spanIds.includes(server.parentSpanId)) return true;
  return happenedDuring(record, client ?? server) && isSameRequest(record, client ?? server);
}

function happenedDuring(record: WireRecord, span: Span | null): boolean {
  if (span === null) return false;
  const time = Date.parse(record.time);
  const start = Number(span.startTimeUnixNano / 1_000_000n);
  const end = Number(span.endTimeUnixNano / 1_000_000n) + 1;
  return span.kind === 'SERVER'
    ? time <= start + 1 && time + record.durationMs + 1 >= start
    : time >= start - 1 && time <= end;
}

function isSameRequest(record: WireRecord, span: Span | null): boolean {
  if (span === null) return false;
  const { method, path, rpcMethod } = readCallFacts(span);
  if (rpcMethod !== null) return record.path === `/${rpcMethod}`;
  return (method === null || method === record.method) && (path === null || path === record.path);
}

/** Instrumentation can be told to record headers (semantic conventions, `http.request.header.<key>`). */
function readCapturedHeader(span: Span | null): WireContext | null {
  const value = span?.attributes.get('http.request.header.traceparent');
  if (value === undefined) return null;
  const values = Array.isArray(value) ? value.map(String) : [String(value)];
  return readWireContext(values.map((one) => ({ name: 'traceparent', value: one })));
}

function toContext(traceparent: string | null): WireContext {
  const fields: readonly HeaderField[] =
    traceparent === null ? [] : [{ name: 'traceparent', value: traceparent }];
  return readWireContext(fields);
}
