/** Starts OpenTelemetry. `node --import` loads it before the service: `http` is patched before Fastify uses it. */
import { getNodeAutoInstrumentations } from '@opentelemetry/auto-instrumentations-node';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import { TrustBoundary } from 'otel-trust-boundary';
import { DurableExporter, readCredentials } from 'otlp-durable-exporter';
import { orExit } from 'service-kit/config';
import * as kit from 'service-kit/telemetry';
import { markBadAnswer } from './call-b.ts';
import { readConfig } from './config.ts';

kit.setUnset({
  OTEL_SERVICE_NAME: 'service-a',
  OTEL_METRICS_EXPORTER: 'none',
  OTEL_LOGS_EXPORTER: 'none',
  // Others ask the metadata addresses of five clouds; `host` warns where a container has no machine id.
  OTEL_NODE_RESOURCE_DETECTORS: 'env,os,process',
  OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http,undici',
});

export const config = await orExit('service-a', () => readConfig(process.env));
const { spanExport, propagation, trustIncoming } = config;
const meterProvider = await orExit('service-a', () => kit.serveCounters(config.host, config.metricsPort));

/** Decides whose trace is continued. */
export const boundary = new TrustBoundary({ trust: trustIncoming });

/** Loses no span while the Collector is away. */
const exporter =
  spanExport &&
  new DurableExporter(new OTLPTraceExporter(readCredentials(process.env)), {
    ...spanExport.keeping,
    meterProvider,
  });
const processor =
  exporter &&
  new BatchSpanProcessor({ ...spanExport.batching, exporter, selfObsMeterProvider: meterProvider });

export const sdk = new NodeSDK({
  textMapPropagator: boundary.propagator,
  spanProcessors: [
    boundary.spanProcessor,
    new kit.HeaderRedactor(),
    ...(processor ? [processor] : []),
    ...(config.logSpans ? [new kit.LogSpanProcessor((line) => process.stdout.write(line))] : []),
  ],
  instrumentations:
    propagation === 'manual'
      ? []
      : getNodeAutoInstrumentations({
          '@opentelemetry/instrumentation-http': {
            headersToSpanAttributes: { server: kit.recordedHeaders },
            ignoreIncomingRequestHook: kit.createIgnoreHook(config.metricsPort),
            startIncomingSpanHook: kit.redactRequest,
          },
          // `fetch` is undici.
          '@opentelemetry/instrumentation-undici': {
            headersToSpanAttributes: kit.recordedHeaders,
            responseHook: markBadAnswer,
          },
        }),
});
kit.logDiagnostics();
sdk.start();

/** Waits until every span that has ended is delivered; then `sdk.shutdown()` may follow. */
export async function deliver(): Promise<void> {
  await processor?.forceFlush();
  await exporter?.forceFlush();
}
