import { headerSettings } from '../rules/header-settings.ts';
import { hideSecrets } from '../util/hide-secrets.ts';
import { quoteForShell } from '../util/quote-for-shell.ts';

export interface ChildEnvironment {
  readonly env: NodeJS.ProcessEnv;
  /** Messages about settings of the user that are replaced for the child. */
  readonly notes: readonly string[];
}

/** Milliseconds between exports. A process that ends without a flush loses at most the spans of this time. */
const scheduleDelay = '100';

/** The settings for recording headers in spans that are environment variables. Headers decide cases that spans alone cannot. */
const headerVariables = Object.fromEntries(
  headerSettings.flatMap(({ set }) => (typeof set === 'string' ? [] : [[set.name, set.value]])),
);

/**
 * Makes the environment in which SDKs of every language export their spans to this tool's receiver without delay. The user's settings
 * stay, except for the exporter and the endpoint.
 *
 * @param url The URL of the receiver, which accepts every protocol.
 * @param isForwarded Exports are forwarded to another receiver too, so metrics and logs stay on.
 */
export function makeChildEnvironment(
  own: NodeJS.ProcessEnv,
  url: string,
  isForwarded: boolean,
): ChildEnvironment {
  const { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: _, ...kept } = own;
  const exporters = own.OTEL_TRACES_EXPORTER ?? 'otlp';
  const exportsOtlp = exporters.split(',').some((name) => name.trim() === 'otlp');
  const env = {
    // SDKs of every language support this protocol.
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_BSP_SCHEDULE_DELAY: scheduleDelay,
    ...headerVariables,
    ...(isForwarded ? {} : { OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' }),
    ...kept,
    ...readProxyExceptions(own),
    OTEL_TRACES_EXPORTER: exportsOtlp ? exporters : 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
  };
  const notes = [
    ...['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']
      .filter((name) => own[name] !== undefined && own[name] !== '' && !isForwarded)
      .map((name) => {
        const endpoint = hideSecrets(own[name] ?? '');
        return `${name}=${endpoint} is replaced for the command; --forward ${quoteForShell(endpoint)} hands the spans on to it`;
      }),
    ...(exportsOtlp ? [] : [`OTEL_TRACES_EXPORTER=${exporters} is replaced for the command by otlp`]),
  ];
  return { env, notes };
}

/** Python's exporters use a proxy even for this machine, unless `no_proxy` names it. */
function readProxyExceptions(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const hasProxy = ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'].some((name) => own[name]);
  if (!hasProxy) return {};
  const exceptions = [own.no_proxy ?? own.NO_PROXY ?? '', '127.0.0.1']
    .filter((part) => part !== '')
    .join(',');
  return { no_proxy: exceptions, NO_PROXY: exceptions };
}
