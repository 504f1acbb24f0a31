import type { Span } from '../span/span.ts';
import { readCallFacts } from './call-facts.ts';

/**
 * Whether a call exports telemetry. SDKs export when a span ends or at intervals, outside any trace. Source: OTLP specification, "OTLP/HTTP
 * Request"; APIs of Zipkin (v2) and of the Jaeger collector.
 */
export function isTelemetryExport(call: Span): boolean {
  const { path, rpcMethod } = readCallFacts(call);
  return (
    rpcMethod?.startsWith('opentelemetry.proto.collector.') === true ||
    /\/(v1\/(traces|metrics|logs)|api\/v2\/spans|api\/traces)$/.test(path ?? '')
  );
}
