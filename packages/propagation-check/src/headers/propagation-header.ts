import type { HeaderField, PropagationFormat } from './evidence.ts';

/**
 * For each format the header that carries the trace id, the standard first. A format is present when this header is;
 * `b3` without ids (a sampling decision only) counts too.
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

/** Headers beside that of the ids. */
const companions = /^(?:tracestate|x-b3-.*|x-datadog-.*)$/;

/** In the order of readings: the standard first. */
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

/** Whether the header says where the trace goes on: everything that is recorded, except baggage. */
export function isTraceHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return isIdHeader(lower) || companions.test(lower);
}

/** Headers whose values hold more than ids: names of services, of hosts and of accounts. */
export function isOpaqueHeader(name: string): boolean {
  return ['sw8', 'newrelic', 'request-id'].includes(name.toLowerCase());
}

/** W3C Baggage, and Jaeger's own baggage, whose entries are headers with this prefix. */
export function isBaggageHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return lower === 'baggage' || lower.startsWith('uberctx-');
}

export function isPropagationHeader(name: string): boolean {
  return isTraceHeader(name) || isBaggageHeader(name);
}

/** The values of a header in the order of the wire. `name` in lower case. */
export function headerValues(headers: readonly HeaderField[], name: string): readonly string[] {
  return headers.filter((field) => field.name.toLowerCase() === name).map((field) => field.value);
}
