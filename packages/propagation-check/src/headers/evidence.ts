import type { TraceparentFault } from './parse-traceparent.ts';

/**
 * A tap's record of one request between two services: one line of its JSON Lines output. Other programs read it; fields may be added but
 * never renamed.
 *
 * Only values of propagation headers are recorded. They come from the network and may contain any character that a header may contain, so
 * escape them when printing.
 */
export interface WireRecord {
  /** When the head of the request had arrived: RFC 3339, UTC, milliseconds. */
  readonly time: string;
  /** Milliseconds from `time` until the exchange was over; for a tunnel (101), until the switch. */
  readonly durationMs: number;
  /** Name of the tap: its listening address unless another name was given. */
  readonly tap: string;
  /** Origin of the next hop, `http://service-b:8082`. */
  readonly target: string;
  /** `service.name` of the service that calls the tap directly; null if not configured. */
  readonly client: string | null;
  /** `service.name` of the service at the target, reached directly; null if not configured. */
  readonly server: string | null;
  /** Host name of the tap's machine or container; null in records of older versions and of packet captures. */
  readonly host: string | null;
  /** The tap's end of the connection from the caller, `127.0.0.1:8083`; null in records of older versions. */
  readonly calledAt: string | null;
  /** The tap's end of the connection to the target, `127.0.0.1:40123`; null if there was none. */
  readonly callsFrom: string | null;
  /** As in OpenTelemetry's `network.protocol.version`. */
  readonly protocolVersion: '1.0' | '1.1' | '2';
  /** `MCP` for a JSON-RPC message in the request's body, whose headers are those in its `params._meta`. */
  readonly method: string;
  /** Without query and fragment. For a JSON-RPC message, its method and the name of the tool or prompt: `tools/call get_weather`. */
  readonly path: string;
  /** The headers that arrived from the caller. */
  readonly sent: WireContext;
  /** The headers forwarded to the target, after faults; null if no byte of the request was sent. */
  readonly received: WireContext | null;
  /** What the tap itself changed, so that an injected fault is not reported as a break: `["strip", "delay=200"]`. */
  readonly faults: readonly string[];
  /** The status that the target answered; null if it did not answer. */
  readonly status: number | null;
  /** The span that the target's answer names; null if it did not answer, and in records of older versions. */
  readonly answered: AnsweredContext | null;
  /** The caller closed or reset the connection before the answer was complete. */
  readonly clientAborted: boolean;
  /** Why the target gave no complete answer: `connect ECONNREFUSED 127.0.0.1:8082`. */
  readonly targetError: string | null;
}

/** The propagation headers on one side of the tap, raw and parsed. */
export interface WireContext {
  /** In the order on the wire; duplicates and letter case are kept. */
  readonly headers: readonly HeaderField[];
  /** One for each format that is present, `tracecontext` first; empty if the caller sent none. */
  readonly contexts: readonly TraceContextReading[];
  /** W3C Baggage with percent-decoded values; a repeated key is repeated here. */
  readonly baggage: readonly BaggageEntry[];
}

/** The span that a callee names in its answer. */
export interface AnsweredContext {
  /** `traceresponse`, and the entries `trace` and `traceparent` of `Server-Timing`, in the order on the wire. */
  readonly headers: readonly HeaderField[];
  /** The callee's span; null if no header names a span, or several name different ones. */
  readonly span: AnsweredSpan | null;
}

/** The callee's own span, as its answer names it. */
export interface AnsweredSpan {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** 16 lower-case hex digits. */
  readonly spanId: string;
  readonly sampled: boolean;
}

/** A header as it was on the wire. */
export interface HeaderField {
  readonly name: string;
  readonly value: string;
}

/** An entry of W3C Baggage. */
export interface BaggageEntry {
  readonly key: string;
  readonly value: string;
  /** `true` if the tap was not configured to record the value; then `value` is meaningless. */
  readonly redacted?: true | undefined;
}

/** Names as in `OTEL_PROPAGATORS`; `grpc-trace-bin` is OpenCensus' binary format, and the names after it are of vendors. */
export type PropagationFormat =
  | 'tracecontext'
  | 'b3'
  | 'b3multi'
  | 'jaeger'
  | 'xray'
  | 'grpc-trace-bin'
  | 'datadog'
  | 'sentry'
  | 'gcp'
  | 'elastic'
  | 'skywalking'
  | 'newrelic'
  | 'request-id';

/** A propagation header as a receiver parses it. */
export type TraceContextReading = ReadableTraceContext | MalformedTraceContext | DuplicatedTraceContext;

/** A header that receivers accept. */
export interface ReadableTraceContext {
  readonly format: PropagationFormat;
  readonly state: 'valid';
  /** 32 lower-case hex digits, or 16 for a 64-bit id; null if the header has only a sampling decision. */
  readonly traceId: string | null;
  /** 16 lower-case hex digits; null if the header has no span id. */
  readonly spanId: string | null;
  /** Null if the sender left the decision to the receiver. */
  readonly sampled: boolean | null;
}

/** A header that receivers reject. */
export interface MalformedTraceContext {
  readonly format: PropagationFormat;
  readonly state: 'malformed';
  /** For `tracecontext` the fault that `parseTraceparent` names, for other formats `invalid`. */
  readonly reason: TraceparentFault | 'invalid';
}

/** A header that occurs several times in one request. */
export interface DuplicatedTraceContext {
  readonly format: PropagationFormat;
  readonly state: 'duplicated';
  /** How many times the header occurs; at least 2. Receivers that follow W3C Trace Context ignore all of them. */
  readonly count: number;
}
