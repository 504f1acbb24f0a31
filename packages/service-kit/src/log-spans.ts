import { SpanKind } from '@opentelemetry/api';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';

/** Prints each finished span as one JSON line, so that a trace can be followed in the service's own log. */
export class LogSpanProcessor implements SpanProcessor {
  readonly #write: (line: string) => void;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    const { traceId, spanId } = span.spanContext();
    const line = {
      level: 30,
      time: Date.now(),
      msg: 'span',
      trace_id: traceId,
      span_id: spanId,
      parent_span_id: span.parentSpanContext?.spanId ?? null,
      kind: SpanKind[span.kind],
      name: span.name,
    };
    this.#write(`${JSON.stringify(line)}\n`);
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}
