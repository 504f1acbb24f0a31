import type { Place } from './place.ts';

export interface Setting {
  readonly value: string;
  readonly place: Place;
}

/** The environment in which the processes of one service start. */
export interface Environment {
  /** The `service.name` where the files say it; otherwise the name of the container. */
  readonly service: string | null;
  /** An id of the system. One Compose file, or the Kubernetes files of one folder, make a system. */
  readonly system: string;
  readonly kind: 'compose' | 'kubernetes' | 'dockerfile' | 'env-file';
  readonly place: Place;
  readonly variables: ReadonlyMap<string, Setting>;
  readonly image: string | null;
  /** The folder from which its image is built. */
  readonly folder: string | null;
  /** All commands that start it, as one text. */
  readonly command: Setting | null;
  /** The OpenTelemetry Operator injects an agent. */
  readonly isInjected: boolean;
}

/** The value of a variable; null where it is not set, or only the deployment knows it. */
export function readVariable({ variables }: Environment, name: string): Setting | null {
  const setting = variables.get(name) ?? null;
  if (setting === null) return null;
  const value = expandDefaults(setting.value);
  return value === null ? null : { ...setting, value };
}

/** Replaces `${NAME:-default}` by its default; null where the value comes from elsewhere. Source: Compose specification, "Interpolation". */
function expandDefaults(value: string): string | null {
  const expanded = value.replace(/\$\{\w+:?-([^{}$]*)\}/g, '$1').trim();
  return /\$[\w{(]|\{\{/.test(expanded) ? null : expanded.replace(/^(["'])(.*)\1$/, '$2');
}

/** Whether the SDK is disabled: then its other settings have no effect. */
export function isDisabled(environment: Environment): boolean {
  return readVariable(environment, 'OTEL_SDK_DISABLED')?.value.toLowerCase() === 'true';
}

/** Whether the service is a trace store or a Collector. Its settings are for its own spans, which are not part of the traces of services. */
export function isBackend({ image }: Environment): boolean {
  return /jaeger|opentelemetry-collector|otelcol|tempo|alloy|zipkin|grafana|prometheus|loki|signoz|clickhouse|opensearch|elastic|langfuse|phoenix/.test(
    image ?? '',
  );
}

/** Whether an OpenTelemetry variable is set: then the service exports spans. */
export function hasTelemetry({ variables }: Environment): boolean {
  return [...variables.keys()].some((name) => name.startsWith('OTEL_'));
}
