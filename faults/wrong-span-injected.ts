import { propagation, type Span, type SpanContext, trace } from '@opentelemetry/api';
import type { Fault } from './apply/fault.ts';

/** The headers are injected before the CLIENT span starts. With instrumentation two headers are sent: `duplicate-traceparent`. */
export const fault: Fault = {
  where: 'service-a',
  made: 'injects the SERVER span instead of the CLIENT span',
  modes: ['manual'],
  preload: { 'service-a': injectParent },
};

function injectParent(): void {
  const inject = propagation.inject.bind(propagation);
  propagation.inject = (context, ...rest) => {
    const span = trace.getSpan(context);
    const parent = span === undefined ? undefined : readParent(span);
    inject(parent === undefined ? context : trace.setSpanContext(context, parent), ...rest);
  };
}

/** The API's type `Span` has no parent; the SDK's class has one. */
function readParent(span: Span): SpanContext | undefined {
  return hasParent(span) ? span.parentSpanContext : undefined;
}

function hasParent(span: Span): span is Span & { readonly parentSpanContext: SpanContext | undefined } {
  return 'parentSpanContext' in span;
}
