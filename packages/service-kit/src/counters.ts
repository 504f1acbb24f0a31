import { type MeterProvider, metrics } from '@opentelemetry/api';
import { ConfigError, type ServiceConfig } from './config.ts';

/**
 * Where the SDK counts its spans: published in Prometheus' text format at `/metrics` of the port, nowhere without one.
 * @throws {ConfigError} where the port is taken.
 */
export async function serveCounters({
  host,
  metricsPort: port,
}: Pick<ServiceConfig, 'host' | 'metricsPort'>): Promise<MeterProvider> {
  if (port === null) return metrics.getMeterProvider();
  const { PrometheusExporter } = await import('@opentelemetry/exporter-prometheus');
  const { MeterProvider } = await import('@opentelemetry/sdk-metrics');
  const reader = new PrometheusExporter({ host, port, preventServerStart: true });
  const meters = new MeterProvider({ readers: [reader] });
  try {
    await reader.startServer();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`cannot listen on METRICS_PORT=${port} (${reason}); set another or none`);
  }
  return meters;
}
