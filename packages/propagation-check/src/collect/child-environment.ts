import { headerSettings } from '../rules/header-settings.ts';
import { hideSecrets } from '../util/hide-secrets.ts';
import { quoteForShell } from '../util/quote-for-shell.ts';

export interface ChildEnvironment {
  readonly env: NodeJS.ProcessEnv;
  /** Settings of the user that the child does not get: for people. */
  readonly notes: readonly string[];
}

/** Milliseconds. A process that is ended without a flush loses no more than this. */
const scheduleDelay = '100';

/** Of the settings that record headers in spans those that are variables: headers decide what spans cannot. */
const headerVariables = Object.fromEntries(
  headerSettings.flatMap(({ set }) => (typeof set === 'string' ? [] : [[set.name, set.value]])),
);

/**
 * The environment in which SDKs of every language export their spans to a receiver of this tool, and soon. What the user has set
 * stays, except where the spans go.
 *
 * @param url Of the receiver, which takes each protocol.
 * @param isForwarded Somebody else gets everything too, so that metrics and logs are not turned off.
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
    // Over HTTP every language has it, and the receiver takes each.
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

/** Exporters of Python ask a proxy for this machine too, unless it is named. */
function readProxyExceptions(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const hasProxy = ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'].some((name) => own[name]);
  if (!hasProxy) return {};
  const exceptions = [own.no_proxy ?? own.NO_PROXY ?? '', '127.0.0.1']
    .filter((part) => part !== '')
    .join(',');
  return { no_proxy: exceptions, NO_PROXY: exceptions };
}
