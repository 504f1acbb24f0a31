import { readOutcome } from '../calls/outcome.ts';
import type { TraceGraph } from '../graph/trace-graph.ts';
import { hasDroppedAttributes } from '../span/dropped-counts.ts';
import type { Span } from '../span/span.ts';
import type {
  AnsweredSpan,
  HeaderField,
  PropagationFormat,
  TraceContextReading,
  WireContext,
} from './evidence.ts';
import { isBeginningOfTraceparent } from './hidden-value.ts';
import { learnLengthLimits } from './length-limit.ts';
import { headerValues } from './propagation-header.ts';
import { readAnsweredContext } from './read-answered-context.ts';
import { readWireContext } from './read-wire-context.ts';
import { listFormats, readRecordedHeaders } from './recorded-headers.ts';
import { type Recording, recordsHeaders } from './recording.ts';

/** The propagation headers seen at one place, and the formats that were looked for there. */
export interface SeenContext extends WireContext {
  /**
   * A looked-for format without a reading was absent. A tap looks for all formats, an instrumentation for those that it is configured to
   * record.
   */
  readonly lookedFor: ReadonlySet<PropagationFormat>;
  /** Formats whose header is recorded but not readable: hidden, cut off, or not as it was sent. */
  readonly unread?: ReadonlySet<PropagationFormat>;
}

/** The span that a callee named in its answer. */
export interface CallAnswer {
  /** Null if the answer names no span. */
  readonly span: AnsweredSpan | null;
  /** Whether that span is in the capture. */
  readonly isDelivered: boolean;
  /** Whether other answers that the same tap saw name a span. Not known for answers that services recorded. */
  readonly isUsual: boolean;
}

/** The `traceparent` with which a SERVER span began, as its service reports it. */
export interface ReceivedTraceparent {
  /** The SERVER span's trace id. */
  readonly traceId: string;
  /** The SERVER span's own id. */
  readonly spanId: string;
  /** Null if the request had none. */
  readonly traceparent: string | null;
}

/** The headers of a call that its services recorded, on spans or elsewhere; null for a side of which nothing is known. */
export interface CapturedHeaders {
  readonly sent: SeenContext | null;
  readonly received: SeenContext | null;
  readonly answer: CallAnswer | null;
}

/** Prepares the look-up for the spans of a check; it returns null where neither side recorded anything. */
export function indexCaptured(
  { received }: { readonly received: readonly ReceivedTraceparent[] },
  graph: TraceGraph,
  recordingOf: (span: Span) => Recording,
): (client: Span | null, server: Span | null) => CapturedHeaders | null {
  if (received.length === 0 && !recordsHeaders(graph.store)) return () => null;
  const said = new Map(received.map((entry) => [`${entry.traceId}:${entry.spanId}`, entry]));
  const recordsLonger = learnLengthLimits(graph);
  const readRequest = (span: Span): SeenContext | null =>
    describeRequest(span, recordingOf(span), (length) => recordsLonger(span, length));
  const readServer = (span: Span): SeenContext | null => {
    const entry = said.get(`${span.traceId}:${span.spanId}`);
    return entry === undefined ? readRequest(span) : toContext(entry.traceparent);
  };
  return (client, server) => {
    const captured: CapturedHeaders = {
      sent: client === null ? null : readRequest(client),
      received: server === null ? null : readServer(server),
      answer: client === null ? null : readAnswer(client, recordingOf(client), graph),
    };
    const { sent, received, answer } = captured;
    return sent === null && received === null && answer === null ? null : captured;
  };
}

function describeRequest(
  span: Span,
  recording: Recording,
  recordsLonger: (length: number) => boolean,
): SeenContext | null {
  const { fields, names, hidden } = readRecordedHeaders(span, 'request');
  const context = readWireContext(fields);
  const isUnsure = (reading: TraceContextReading): boolean =>
    !recording.isAsSent && isOfAnother(reading, span);
  const isCut = headerValues(fields, 'traceparent').some(
    (value) => isBeginningOfTraceparent(value) && !recordsLonger(value.length),
  );
  const unread = new Set<PropagationFormat>([
    ...listFormats(hidden),
    ...(isCut ? (['tracecontext'] as const) : []),
    ...context.contexts.filter(isUnsure).map(({ format }) => format),
  ]);
  const contexts = context.contexts.filter(({ format }) => !unread.has(format));
  // Some instrumentations record a call when its answer comes, and a call without an answer may not have sent its headers.
  const isRecorded = (!isCall(span) || readOutcome(span) === 'answered') && !hasDroppedAttributes(span);
  const absent = isRecorded ? recording.formats : [];
  const lookedFor = new Set([...listFormats(names), ...absent].filter((format) => !unread.has(format)));
  return lookedFor.size === 0 ? null : { ...context, contexts, lookedFor, unread };
}

/** A CLIENT or PRODUCER span sends its own id; a header with another id belongs to another call. */
function isOfAnother(reading: TraceContextReading, span: Span): boolean {
  return (
    isCall(span) && reading.state === 'valid' && reading.spanId !== null && reading.spanId !== span.spanId
  );
}

function isCall({ kind }: Span): boolean {
  return kind === 'CLIENT' || kind === 'PRODUCER';
}

/**
 * The callee's span that the answer recorded on a CLIENT span names. A span of another trace is ignored, because a cache may have answered.
 */
function readAnswer(client: Span, recording: Recording, graph: TraceGraph): CallAnswer | null {
  const { fields, names, hidden } = readRecordedHeaders(client, 'response');
  const { span } = readAnsweredContext(fields);
  if (span === null) {
    const isAbsent = recording.answers && !hasDroppedAttributes(client);
    const isNone = fields.length === 0 && hidden.length === 0 && (names.length > 0 || isAbsent);
    return isNone ? { span, isDelivered: false, isUsual: false } : null;
  }
  if (span.traceId !== client.traceId) return null;
  return { span, isDelivered: graph.hasSpan(span.traceId, span.spanId), isUsual: true };
}

function toContext(traceparent: string | null): SeenContext {
  const fields: readonly HeaderField[] =
    traceparent === null ? [] : [{ name: 'traceparent', value: traceparent }];
  return { ...readWireContext(fields), lookedFor: new Set(['tracecontext']) };
}
