import { type Environment, orExit, type ServiceConfig } from './config.ts';
import { serveCounters } from './counters.ts';
import { setDefaults } from './set-defaults.ts';

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
