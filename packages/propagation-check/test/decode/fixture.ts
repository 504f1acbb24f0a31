import { readFileSync } from 'node:fs';

/** Reads a file of `fixtures/`: captures of a real Collector, answers of a real Jaeger for the same traces, and answers of a real Zipkin. */
export function readFixture(name: string): Uint8Array {
  return readFileSync(new URL(`fixtures/${name}`, import.meta.url));
}

/** A span as OTLP/JSON, valid unless overridden. */
export function otlpSpan(fields: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', ...fields };
}

/** An export request with one resource, one scope and these spans. */
export function otlpRequest(...spans: readonly unknown[]): Readonly<Record<string, unknown>> {
  return { resourceSpans: [{ scopeSpans: [{ spans }] }] };
}
