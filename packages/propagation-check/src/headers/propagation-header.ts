import type { HeaderField, PropagationFormat } from './evidence.ts';

/**
 * For each format, the header that carries the trace id; the standard first. A format is present if this header is present, even a `b3`
 * header with only a sampling decision.
 */
export const idHeaders: Readonly<Record<PropagationFormat, string>> = {
  tracecontext: 'traceparent',
  b3: 'b3',
  b3multi: 'x-b3-traceid',
  jaeger: 'uber-trace-id',
  xray: 'x-amzn-trace-id',
  'grpc-trace-bin': 'grpc-trace-bin',
  datadog: 'x-datadog-trace-id',
  sentry: 'sentry-trace',
  gcp: 'x-cloud-trace-context',
  elastic: 'elastic-apm-traceparent',
  skywalking: 'sw8',
  newrelic: 'newrelic',
  'request-id': 'request-id',
};

/** Further headers of a format beside its id header. */
const companions = /^(?:tracestate|x-b3-.*|x-datadog-.*)$/;

/** The order of readings: the standard first. */
export const formats = Object.keys(idHeaders).filter((name): name is PropagationFormat => name in idHeaders);

const formatsById: ReadonlyMap<string, PropagationFormat> = new Map(
  formats.map((format) => [idHeaders[format], format]),
);

/** The format whose trace id the header carries; null for any other header. */
export function formatOfIdHeader(name: string): PropagationFormat | null {
  return formatsById.get(name.toLowerCase()) ?? null;
}

export function isIdHeader(name: string): boolean {
  return formatOfIdHeader(name) !== null;
}

/** Whether the header belongs to a trace context format: every recorded header except baggage. */
export function isTraceHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return isIdHeader(lower) || companions.test(lower);
}

/** Headers whose values contain more than ids: names of services, hosts or accounts. */
export function isOpaqueHeader(name: string): boolean {
  return ['sw8', 'newrelic', 'request-id'].includes(name.toLowerCase());
}

/** W3C Baggage, or Jaeger's baggage, which has one header with this prefix for each entry. */
export function isBaggageHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return lower === 'baggage' || lower.startsWith('uberctx-');
}

export function isPropagationHeader(name: string): boolean {
  return isTraceHeader(name) || isBaggageHeader(name);
}

/** The values of a header in the order on the wire. @param name In lower case. */
export function headerValues(headers: readonly HeaderField[], name: string): readonly string[] {
  return headers.filter((field) => field.name.toLowerCase() === name).map((field) => field.value);
}

/** Reads Node.js's `rawHeaders`: name, value, name, value. */
export function readRawHeaders(raw: readonly string[]): readonly HeaderField[] {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [{ name, value: raw[index + 1] ?? '' }] : []));
}
