import type { Place } from './place.ts';

export interface Setting {
  readonly value: string;
  readonly place: Place;
}

/** What the processes of one service are started with. */
export interface Environment {
  /** The name that its spans have, as far as it is said; else that of the container. */
  readonly service: string | null;
  /** Services of one system: one Compose file, or the Kubernetes files of one folder. */
  readonly system: string;
  readonly kind: 'compose' | 'kubernetes' | 'dockerfile' | 'env-file';
  readonly place: Place;
  readonly variables: ReadonlyMap<string, Setting>;
  readonly image: string | null;
  /** The folder that it is built from. */
  readonly folder: string | null;
  /** Everything that starts it, as one text. */
  readonly command: Setting | null;
  /** The OpenTelemetry Operator adds an agent to it. */
  readonly isInjected: boolean;
}

/** The settings of OpenTelemetry that the variables of an environment state, without those that only a deployment knows. */
export function readVariable({ variables }: Environment, name: string): Setting | null {
  const setting = variables.get(name) ?? null;
  if (setting === null) return null;
  const value = expandDefaults(setting.value);
  return value === null ? null : { ...setting, value };
}

/** `${NAME:-default}` is its default; null where the value comes from elsewhere. Source: Compose specification, "Interpolation". */
function expandDefaults(value: string): string | null {
  const expanded = value.replace(/\$\{\w+:?-([^{}$]*)\}/g, '$1').trim();
  return /\$[\w{(]|\{\{/.test(expanded) ? null : expanded.replace(/^(["'])(.*)\1$/, '$2');
}

/** Its SDK is switched off, with all else that it is told. */
export function isDisabled(environment: Environment): boolean {
  return readVariable(environment, 'OTEL_SDK_DISABLED')?.value.toLowerCase() === 'true';
}

/** Stores and Collectors have settings for their own spans, which are no part of anybody's traces. */
export function isBackend({ image }: Environment): boolean {
  return /jaeger|opentelemetry-collector|otelcol|tempo|alloy|zipkin|grafana|prometheus|loki|signoz|clickhouse|opensearch|elastic|langfuse|phoenix/.test(
    image ?? '',
  );
}

/** What is started with this environment exports spans of its own. */
export function hasTelemetry({ variables }: Environment): boolean {
  return [...variables.keys()].some((name) => name.startsWith('OTEL_'));
}
