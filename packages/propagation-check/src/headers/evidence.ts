import type { TraceparentFault } from './parse-traceparent.ts';

/**
 * What a tap saw of one request between two services: one line of its JSON Lines output.
 * Other programs read this; fields may be added and never renamed.
 *
 * Values are recorded of propagation headers only. Strings come from the network: they may hold any character
 * that a header may hold, so print them escaped.
 */
export interface WireRecord {
  /** When the head of the request had arrived: RFC 3339, UTC, milliseconds. */
  readonly time: string;
  /** From `time` until the exchange was over, in milliseconds. Of a tunnel (101): until the switch. */
  readonly durationMs: number;
  /** Name of the point on the wire; its listening address unless it was given one. */
  readonly tap: string;
  /** Origin of the next hop, `http://service-b:8082`. */
  readonly target: string;
  /** `service.name` of the service that calls the tap, with nothing in between; null where nobody said it. */
  readonly client: string | null;
  /** `service.name` of the service at the target, with nothing in between; null where nobody said it. */
  readonly server: string | null;
  /** Host name of the tap's machine or container; null in records of older versions. */
  readonly host: string | null;
  /** The tap's end of the connection from the caller, `127.0.0.1:8083`; null in records of older versions. */
  readonly calledAt: string | null;
  /** The tap's end of the connection to the target, `127.0.0.1:40123`; null where there was none. */
  readonly callsFrom: string | null;
  /** As in OpenTelemetry's `network.protocol.version`. */
  readonly protocolVersion: '1.0' | '1.1' | '2';
  /** `MCP` in the record of a JSON-RPC message in the request's body, whose headers are those of its `params._meta`. */
  readonly method: string;
  /** Without query and fragment. Of a JSON-RPC message its method, and the name of the tool or prompt: `tools/call get_weather`. */
  readonly path: string;
  /** What arrived from the caller. */
  readonly sent: WireContext;
  /** What was forwarded to the target, after faults; null when no byte of the request went out. */
  readonly received: WireContext | null;
  /** The tap's own doing, so that a fault that was injected is not taken for one that was found: `["strip", "delay=200"]`. */
  readonly faults: readonly string[];
  /** The status that the target answered; null when it did not. */
  readonly status: number | null;
  /** What the target's answer says of its own span; null when it did not answer, and in records of older versions. */
  readonly answered: AnsweredContext | null;
  /** The caller closed or reset before the answer was complete. */
  readonly clientAborted: boolean;
  /** Why the target gave no (whole) answer: `connect ECONNREFUSED 127.0.0.1:8082`. */
  readonly targetError: string | null;
}

/** The propagation headers on one side of the tap, and what they say. */
export interface WireContext {
  /** In the order of the wire, duplicates and letter case kept. */
  readonly headers: readonly HeaderField[];
  /** One for each trace context format that is present; `tracecontext` first. Empty when the caller sent none. */
  readonly contexts: readonly TraceContextReading[];
  /** W3C Baggage, values percent-decoded; a key that comes twice is here twice. */
  readonly baggage: readonly BaggageEntry[];
}

/** What a called service says of itself in its answer. */
export interface AnsweredContext {
  /** `traceresponse`, and of `Server-Timing` its entries `trace` and `traceparent`, in the order of the wire. */
  readonly headers: readonly HeaderField[];
  /** The span with which it answered; null when no header says it, or several say different ones. */
  readonly span: AnsweredSpan | null;
}

/** The called service's own span, as its answer names it. */
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
  /** `true` where the tap was not told to record the value: then `value` says nothing. */
  readonly redacted?: true | undefined;
}

/** Names as in `OTEL_PROPAGATORS`; `grpc-trace-bin` is OpenCensus' binary format, and the others are of vendors. */
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

/** A propagation header as a receiver reads it. */
export type TraceContextReading = ReadableTraceContext | MalformedTraceContext | DuplicatedTraceContext;

/** A header that says what it should. */
export interface ReadableTraceContext {
  readonly format: PropagationFormat;
  readonly state: 'valid';
  /** 32 lower-case hex digits, or 16 where the format sent a 64-bit id; null where it carries only a sampling decision. */
  readonly traceId: string | null;
  /** 16 lower-case hex digits; null where the format left it out. */
  readonly spanId: string | null;
  /** Null where the sender left the decision open. */
  readonly sampled: boolean | null;
}

/** A header that receivers refuse. */
export interface MalformedTraceContext {
  readonly format: PropagationFormat;
  readonly state: 'malformed';
  /** For `tracecontext` the fault as `parseTraceparent` names it, for other formats `invalid`. */
  readonly reason: TraceparentFault | 'invalid';
}

/** A header that came several times. */
export interface DuplicatedTraceContext {
  readonly format: PropagationFormat;
  readonly state: 'duplicated';
  /** How many times the header came; at least 2. Receivers that follow W3C Trace Context take none of them. */
  readonly count: number;
}
