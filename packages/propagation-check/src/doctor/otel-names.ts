import type { Setting } from './environment.ts';

/** OTEL_SERVICE_NAME precedes `service.name` in OTEL_RESOURCE_ATTRIBUTES. Source: OpenTelemetry specification, "General SDK configuration". */
export function readResourceName(variables: ReadonlyMap<string, Setting>): string | null {
  const name = variables.get('OTEL_SERVICE_NAME')?.value ?? '';
  const attributes = variables.get('OTEL_RESOURCE_ATTRIBUTES')?.value ?? '';
  const found = name === '' ? (/(?:^|,)service\.name=([^,]+)/.exec(attributes)?.[1] ?? '') : name;
  return found === '' || /[${]/.test(found) ? null : found;
}

/** The values of OTEL_PROPAGATORS, and the format of each. Source: the same specification; `baggage` carries no trace context. */
export const propagatorFormats: ReadonlyMap<string, string | null> = new Map([
  ['tracecontext', 'W3C Trace Context'],
  ['baggage', null],
  ['b3', 'B3'],
  ['b3multi', 'B3'],
  ['jaeger', 'Jaeger'],
  ['xray', 'X-Ray'],
  // Used by AWS Lambda distributions, such as `aws-lambda-java`.
  ['xray-lambda', 'X-Ray'],
  ['ottrace', 'OpenTracing'],
  // Of distributions and vendors. Each has headers of its own.
  ['gcp', 'Google Cloud'],
  ['oneway-gcp', 'Google Cloud'],
  ['datadog', 'Datadog'],
  ['solarwinds_propagator', null],
]);

/** The values of OTEL_TRACES_SAMPLER. Source: the same specification. */
export const samplerNames: readonly string[] = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
  'jaeger_remote',
  'parentbased_jaeger_remote',
  'xray',
  // Distributions and vendors add these.
  'experimental_composite_parentbased_traceidratio',
  'internal_root_off',
  'microsoft.fixed_percentage',
  'microsoft.rate_limited',
  'solarwinds_sampler',
];

/** The values of OTEL_TRACES_EXPORTER. Source: the same specification. */
export const exporterNames: readonly string[] = [
  'otlp',
  'otlp/stdout',
  'zipkin',
  'console',
  'none',
  // No longer in the specification.
  'jaeger',
  'logging',
  // Known to some languages only.
  'logging-otlp',
  'experimental-otlp/stdout',
  'otlp_proto_grpc',
  'otlp_proto_http',
  'zipkin_json',
  'zipkin_proto',
  'jaeger_proto',
  'jaeger_thrift',
  'memory',
  // Distributions and vendors add these.
  'azure_monitor_opentelemetry_exporter',
  'gcp_trace',
  'google_cloud_trace',
  'solarwinds_exporter',
];

export function splitNames(value: string): readonly string[] {
  return value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** The trace formats in a value of OTEL_PROPAGATORS, each once; null where a name is not known. */
export function listFormats(value: string): readonly string[] | null {
  const names = splitNames(value);
  if (names.some((name) => name !== 'none' && !propagatorFormats.has(name))) return null;
  return [...new Set(names.flatMap((name) => propagatorFormats.get(name) ?? []))];
}
