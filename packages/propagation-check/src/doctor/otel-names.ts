import type { Setting } from './environment.ts';

/** OTEL_SERVICE_NAME before `service.name` of OTEL_RESOURCE_ATTRIBUTES. Source: OpenTelemetry specification, "General SDK configuration". */
export function readResourceName(variables: ReadonlyMap<string, Setting>): string | null {
  const name = variables.get('OTEL_SERVICE_NAME')?.value ?? '';
  const attributes = variables.get('OTEL_RESOURCE_ATTRIBUTES')?.value ?? '';
  const found = name === '' ? (/(?:^|,)service\.name=([^,]+)/.exec(attributes)?.[1] ?? '') : name;
  return found === '' || /[${]/.test(found) ? null : found;
}

/** Formats that OTEL_PROPAGATORS names, and which headers each reads. Source: the same specification; `baggage` carries no trace. */
export const propagatorFormats: ReadonlyMap<string, string | null> = new Map([
  ['tracecontext', 'W3C Trace Context'],
  ['baggage', null],
  ['b3', 'B3'],
  ['b3multi', 'B3'],
  ['jaeger', 'Jaeger'],
  ['xray', 'X-Ray'],
  // Of AWS Lambda, `aws-lambda-java` and others.
  ['xray-lambda', 'X-Ray'],
  ['ottrace', 'OpenTracing'],
  // Of distributions and vendors; each reads headers of its own.
  ['gcp', 'Google Cloud'],
  ['oneway-gcp', 'Google Cloud'],
  ['datadog', 'Datadog'],
  ['solarwinds_propagator', null],
]);

export function listPropagators(value: string): readonly string[] {
  return value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** The trace formats that a value of OTEL_PROPAGATORS names, each once; null where a name is not known. */
export function listFormats(value: string): readonly string[] | null {
  const names = listPropagators(value);
  if (names.some((name) => name !== 'none' && !propagatorFormats.has(name))) return null;
  return [...new Set(names.flatMap((name) => propagatorFormats.get(name) ?? []))];
}
