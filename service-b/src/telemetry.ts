/** Starts OpenTelemetry. `node --import` loads it before the service: `http` is patched before Fastify uses it. */
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import { TrustBoundary } from 'otel-trust-boundary';
import { DurableExporter, readCredentials } from 'otlp-durable-exporter';
import * as kit from 'service-kit/telemetry';
import { readConfig } from './config.ts';

export const config = await kit.prepare('service-b', readConfig);
const { requestHeaders } = kit.recordedHeaders;

/** Decides whose trace is continued. */
export const boundary = new TrustBoundary({ trust: config.trustIncoming });

const credentials = readCredentials(process.env);
const Exporter = config.otlpProtocol === 'http/protobuf' ? ProtobufExporter : JsonExporter;
const otlp = config.exportsSpans ? new Exporter(credentials) : kit.nowhere;
/** Loses no span while the Collector is unavailable. */
const exporter = new DurableExporter(otlp, { ...config.keeping, explain: credentials.explain });
const processor = new BatchSpanProcessor({ ...config.batching, exporter });

export const sdk = new NodeSDK({
  textMapPropagator: boundary.propagator,
  spanProcessors: [
    boundary.spanProcessor,
    new kit.HeaderProcessor('service-b'),
    processor,
    ...kit.logSpans(config),
  ],
  instrumentations: config.propagation === 'manual' ? [] : await createInstrumentations(),
});
kit.logDiagnostics();
sdk.start();

/** The order in which they are flushed. */
export const flushed = [processor, exporter];

/** Loaded only in automatic mode, because they take a third of the CPU time of a start. */
async function createInstrumentations() {
  const { getNodeAutoInstrumentations } = await import('@opentelemetry/auto-instrumentations-node');
  return getNodeAutoInstrumentations({
    '@opentelemetry/instrumentation-http': {
      headersToSpanAttributes: { server: { requestHeaders } },
      ...kit.createHttpHooks(config),
    },
  });
}
