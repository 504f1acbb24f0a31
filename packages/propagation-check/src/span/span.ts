/**
 * One span, with the names and meanings of the OpenTelemetry protocol (opentelemetry-proto, `trace/v1/trace.proto`). Decoders produce
 * spans, and checks read only spans; names of other formats ("reference", "tag", "process") stay inside their decoder. Do not spread it:
 * the fields of `RowSpan` are getters.
 */
export interface Span {
  /** 32 lower-case hex digits; 16 where the source holds 64-bit ids. Never all zeros. */
  readonly traceId: string;
  /** 16 lower-case hex digits. Never all zeros. */
  readonly spanId: string;
  /** The parent's span id, or null for a root. */
  readonly parentSpanId: string | null;
  /** The W3C `tracestate` as recorded; empty when there is none. */
  readonly traceState: string;
  /** OTLP `flags`; null if the source does not have them (Zipkin, Jaeger's own JSON). See `isParentRemote`. */
  readonly flags: number | null;
  readonly name: string;
  readonly kind: SpanKind;
  /** Nanoseconds since the Unix epoch, 64 bits without a sign. */
  readonly startTimeUnixNano: bigint;
  /** Nanoseconds since the Unix epoch. */
  readonly endTimeUnixNano: bigint;
  readonly attributes: Attributes;
  readonly links: readonly SpanLink[];
  readonly status: SpanStatus;
  /** Resource attribute `service.name`; null if it is missing or empty. */
  readonly serviceName: string | null;
  /** All resource attributes. */
  readonly resource: Attributes;
  /** Name of the instrumentation scope; empty if the source does not have it. */
  readonly scopeName: string;
}

/** Indexed by their numbers. Source: opentelemetry-proto, `Span.SpanKind`. */
export const spanKinds = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'] as const;

/** The numbers of the kinds in columns. */
export const kindNumber = {
  internal: spanKinds.indexOf('INTERNAL'),
  server: spanKinds.indexOf('SERVER'),
  client: spanKinds.indexOf('CLIENT'),
  producer: spanKinds.indexOf('PRODUCER'),
  consumer: spanKinds.indexOf('CONSUMER'),
} as const;

/** Whether a span of this kind, a number as in `kindNumber`, calls another service. */
export function isCallKind(kind: number | undefined): boolean {
  return kind === kindNumber.client || kind === kindNumber.producer;
}

/** The OpenTelemetry span kind. */
export type SpanKind = (typeof spanKinds)[number];

/** Indexed by their numbers. Source: opentelemetry-proto, `Status.StatusCode`. */
export const statusCodes = ['UNSET', 'OK', 'ERROR'] as const;

/** A reference to another span. */
export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
}

/** The OpenTelemetry span status. */
export interface SpanStatus {
  readonly code: (typeof statusCodes)[number];
  readonly message: string;
}

/** A map, because keys are untrusted and may be `__proto__`. */
export type Attributes = ReadonlyMap<string, AttributeValue>;

/** 64-bit integers beyond 2^53 are decimal strings, bytes are base64, and key-value lists are JSON texts. */
export type AttributeValue = string | number | boolean | readonly AttributeValue[];

const hasIsRemote = 0x100;
const isRemote = 0x200;

/**
 * Whether the span's parent is in another process, so that a header was received; null if the source does not say. Source:
 * opentelemetry-proto, `SpanFlags` (0x100 says that 0x200 is meaningful).
 */
export function isParentRemote(span: Span): boolean | null {
  if (span.flags === null || (span.flags & hasIsRemote) === 0) return null;
  return (span.flags & isRemote) !== 0;
}

/** The flags of a span whose source says in another form whether the parent is remote. */
export function flagsOfParent(isInOtherProcess: boolean): number {
  return hasIsRemote | (isInOtherProcess ? isRemote : 0);
}

/** Compares starts, for `sort`. */
export function byStart(one: Span, other: Span): number {
  return Number(one.startTimeUnixNano - other.startTimeUnixNano);
}
