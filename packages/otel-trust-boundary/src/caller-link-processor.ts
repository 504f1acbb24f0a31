import { type Context, SpanKind } from '@opentelemetry/api';
import type { Span, SpanProcessor } from '@opentelemetry/sdk-trace';
import { readCaller } from './caller.ts';

/** Links a SERVER span to the caller whose trace it does not continue, so that both can still be found. */
export class CallerLinkProcessor implements SpanProcessor {
  onStart(span: Span, parentContext: Context): void {
    if (span.kind !== SpanKind.SERVER) return;
    const caller = readCaller(parentContext);
    if (caller?.isTrusted === false) span.addLink({ context: caller.spanContext });
  }

  onEnd(): void {}

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}
