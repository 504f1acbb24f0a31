import { INVALID_SPAN_CONTEXT, propagation, trace } from '@opentelemetry/api';
import type { Fault } from './apply/fault.ts';
import { replaceClientSpans } from './apply/replace-client-spans.ts';

/** The HTTP client has no instrumentation: no CLIENT span, no headers. */
export const fault: Fault = {
  where: 'service-a',
  made: 'neither instrumentation nor code makes CLIENT spans',
  // Without `undici`, which instruments `fetch`.
  environment: { 'service-a': { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http' } },
  preload: {
    // For manual mode, in which service A's own code makes the span and the headers.
    'service-a': () => {
      replaceClientSpans(() => trace.wrapSpanContext(INVALID_SPAN_CONTEXT));
      propagation.inject = () => undefined;
    },
  },
};
