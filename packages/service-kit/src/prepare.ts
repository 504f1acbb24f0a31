import { type Environment, orExit, type ServiceConfig } from './config.ts';
import { serveCounters } from './counters.ts';

/**
 * Sets defaults of OpenTelemetry's variables, reads the configuration and serves the counters of processor and exporter. A value that
 * is not allowed ends the process with one line on stderr and exit code 2.
 */
export async function prepare<Config extends ServiceConfig>(
  name: string,
  readConfig: (env: Environment) => Config,
) {
  setDefaults(name);
  return orExit(name, async () => {
    const config = readConfig(process.env);
    const meterProvider = await serveCounters(config);
    return {
      ...config,
      batching: { ...config.batching, selfObsMeterProvider: meterProvider },
      keeping: { ...config.keeping, meterProvider },
    };
  });
}

/** Variables of OpenTelemetry that the user has not set. */
function setDefaults(serviceName: string): void {
  const defaults = {
    OTEL_SERVICE_NAME: serviceName,
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    // Others ask the metadata addresses of five clouds; `host` warns where a container has no machine id.
    OTEL_NODE_RESOURCE_DETECTORS: 'env,os,process',
    OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http,undici',
  };
  for (const [name, value] of Object.entries(defaults)) process.env[name] ||= value;
}
