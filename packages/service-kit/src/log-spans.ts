import { SpanKind } from '@opentelemetry/api';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { ServiceConfig } from './config.ts';
import { logStream } from './log-stream.ts';

/** The processors that `LOG_SPANS` asks for. */
export function logSpans({ logSpans }: Pick<ServiceConfig, 'logSpans'>): readonly SpanProcessor[] {
  return logSpans ? [new LogSpanProcessor()] : [];
}

/** Prints each finished span as one JSON line, so that a trace can be followed in the service's own log. */
class LogSpanProcessor implements SpanProcessor {
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
    logStream.write(`${JSON.stringify(line)}\n`);
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}
