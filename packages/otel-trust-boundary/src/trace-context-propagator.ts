import {
  type Context,
  isSpanContextValid,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  trace,
} from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { readCaller } from './caller.ts';
import { parseTraceState } from './trace-state.ts';
import { formatTraceparent, parseTraceparent, randomFlag } from './traceparent.ts';

/** W3C Trace Context Level 2. The README lists the differences to OpenTelemetry's own propagator. */
export class TraceContextPropagator implements TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const span = trace.getSpanContext(context);
    if (span === undefined || !isSpanContextValid(span) || isTracingSuppressed(context)) return;
    setter.set(carrier, 'traceparent', formatTraceparent(span, readRandomFlag(context, span.traceId)));
    const traceState = span.traceState?.serialize();
    if (traceState) setter.set(carrier, 'tracestate', traceState);
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const traceparent = readSingle(getter.get(carrier, 'traceparent'));
    const parent = traceparent === undefined ? null : parseTraceparent(traceparent);
    // Section 3.3: without a valid `traceparent`, `tracestate` is not parsed.
    if (parent === null) return context;
    const tracestate = readList(getter.get(carrier, 'tracestate'));
    const traceState = tracestate === undefined ? null : parseTraceState(tracestate);
    if (traceState !== null) parent.traceState = traceState;
    return trace.setSpanContext(context, parent);
  }

  fields(): string[] {
    return ['traceparent', 'tracestate'];
  }
}

/** Takes none of several headers. HTTP joins them by commas, and then the value has no valid format. */
function readSingle(value: string | string[] | undefined): string | undefined {
  if (!Array.isArray(value)) return value;
  return value.length === 1 ? value[0] : undefined;
}

/** The SDK makes trace ids whose bytes are all random; of other ids only the caller knows. */
function readRandomFlag(context: Context, traceId: string): number {
  const caller = readCaller(context);
  return caller?.isTrusted && caller.spanContext.traceId === traceId
    ? caller.spanContext.traceFlags & randomFlag
    : randomFlag;
}

/** RFC 9110, section 5.3: several headers of one name are one list. Undefined where nobody sent one. */
function readList(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value;
}
