import type { Span } from '../span/span.ts';
import { readCallFacts } from './call-facts.ts';

/**
 * Whether a call exports telemetry: SDKs do so as soon as a span has ended, or at intervals, and in no trace.
 * Source: OTLP specification, "OTLP/HTTP Request"; APIs of Zipkin (v2) and of the Jaeger collector.
 */
export function isTelemetryExport(call: Span): boolean {
  const { path, rpcMethod } = readCallFacts(call);
  return (
    rpcMethod?.startsWith('opentelemetry.proto.collector.') === true ||
    /\/(v1\/(traces|metrics|logs)|api\/v2\/spans|api\/traces)$/.test(path ?? '')
  );
}
