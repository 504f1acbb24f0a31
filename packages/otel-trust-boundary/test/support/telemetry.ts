/** The set-up that the README shows, loaded by `node --import`; spans stay in memory. */
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { parseTrust, TrustBoundary } from '../../src/index.ts';

export const boundary = new TrustBoundary({ trust: parseTrust(process.env.TRUST ?? 'never') });
export const exporter = new InMemorySpanExporter();

new NodeSDK({
  textMapPropagator: boundary.propagator,
  spanProcessors: [boundary.spanProcessor, new SimpleSpanProcessor({ exporter })],
  instrumentations: [new HttpInstrumentation(), new UndiciInstrumentation()],
}).start();
