import { type Context, context, type Span, SpanKind, type Tracer, trace } from '@opentelemetry/api';

/** Replaces how CLIENT spans start, for instrumentations and for manual code. `start` starts the requested span. */
export function replaceClientSpans(replace: (start: (parent: Context) => Span) => Span): void {
  const setProvider = trace.setGlobalTracerProvider.bind(trace);
  trace.setGlobalTracerProvider = (provider) =>
    setProvider({ getTracer: (...args) => wrapTracer(provider.getTracer(...args), replace) });
}

function wrapTracer(tracer: Tracer, replace: (start: (parent: Context) => Span) => Span): Tracer {
  const startSpan: Tracer['startSpan'] = (name, options, parent = context.active()) =>
    options?.kind === SpanKind.CLIENT
      ? replace((replaced) => tracer.startSpan(name, options, replaced))
      : tracer.startSpan(name, options, parent);
  return { startSpan, startActiveSpan: tracer.startActiveSpan.bind(tracer) };
}
