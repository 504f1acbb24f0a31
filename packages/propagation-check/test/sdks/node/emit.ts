/** Emits one span through the exporter that OTEL_EXPORTER_OTLP_PROTOCOL names, with stock settings otherwise. */
import { OTLPTraceExporter as Grpc } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as HttpJson } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as HttpProtobuf } from '@opentelemetry/exporter-trace-otlp-proto';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

const exporters = {
  grpc: () => new Grpc(),
  'http/json': () => new HttpJson(),
  'http/protobuf': () => new HttpProtobuf(),
} as const;
const protocol = process.env.OTEL_EXPORTER_OTLP_PROTOCOL;
const create =
  protocol === 'grpc' || protocol === 'http/json' ? exporters[protocol] : exporters['http/protobuf'];
const provider = new TracerProvider({ spanProcessors: [new BatchSpanProcessor({ exporter: create() })] });
provider.getTracer('emit').startSpan('emitted').end();
await provider.shutdown();
