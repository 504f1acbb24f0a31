import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { convertLegacyHttpOptions } from '@opentelemetry/otlp-exporter-base/node-http';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import { createAccessOptions, explainRefusal } from './collector-access.ts';
import { type Config, ConfigError, type SpanExport } from './config.ts';
import { createFirstAttempt } from './span-delivery/first-attempt.ts';
import { observeDelivery } from './span-delivery/observe-delivery.ts';
import { createPost } from './span-delivery/post-batch.ts';
import { SpanDelivery } from './span-delivery/span-delivery.ts';
import { Spool } from './span-delivery/spool.ts';

export interface RunningExport {
  readonly processor: BatchSpanProcessor;
  /**
   * Waits until every span that has ended is delivered.
   * @throws {Error} when nobody takes them. They are kept until the processor is shut down, and saved then.
   */
  deliver(): Promise<void>;
}

/**
 * Exports to where the standard variables point, and publishes counters of it if there is a port for them.
 * @throws {ConfigError} where the port or the spool's folder is of no use.
 */
export async function startExport(
  { backlogBytes, spoolDirectory, spoolBytes, access, ...batching }: SpanExport,
  { host, metricsPort }: Pick<Config, 'host' | 'metricsPort'>,
): Promise<RunningExport> {
  const options = createAccessOptions(access);
  // As the exporter reads them: both send to the same place in the same way.
  const destination = convertLegacyHttpOptions(options, 'TRACES', 'v1/traces', {
    'Content-Type': 'application/json',
  });
  const { origin, pathname } = new URL(destination.url);
  const delivery = new SpanDelivery({
    firstAttempt: createFirstAttempt(new OTLPTraceExporter(options)),
    post: await createPost(destination, (code, message) => explainRefusal(code, message, access)),
    url: `${origin}${pathname}`,
    maxBytes: backlogBytes,
    patienceMillis: destination.timeoutMillis,
    spool: spoolDirectory === null ? null : await openSpool(spoolDirectory, spoolBytes),
  });
  const meters = metricsPort === null ? undefined : await serveMetrics(host, metricsPort);
  if (meters !== undefined) observeDelivery(delivery, meters.getMeter('span-delivery'), backlogBytes);
  const processor = new BatchSpanProcessor({
    ...batching,
    exporter: delivery,
    ...(meters === undefined ? {} : { selfObsMeterProvider: meters }),
  });
  return {
    processor,
    deliver: async () => {
      await processor.forceFlush();
      await delivery.forceFlush();
    },
  };
}

async function openSpool(directory: string, maxBytes: number): Promise<Spool> {
  try {
    return await Spool.open(directory, maxBytes);
  } catch (error) {
    throw new ConfigError(
      `SPAN_SPOOL_DIR=${JSON.stringify(directory)} is no folder to which this service can write (${describe(error)})`,
    );
  }
}

/** In Prometheus' text format at `/metrics`. */
async function serveMetrics(host: string, port: number): Promise<MeterProvider> {
  const reader = new PrometheusExporter({ host, port, preventServerStart: true });
  const meters = new MeterProvider({ readers: [reader] });
  try {
    await reader.startServer();
  } catch (error) {
    throw new ConfigError(`cannot listen on METRICS_PORT=${port} (${describe(error)}); set another or none`);
  }
  return meters;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
