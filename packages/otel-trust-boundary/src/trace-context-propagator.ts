import {
  type Context,
  isSpanContextValid,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { isTracingSuppressed, parseTraceParent } from '@opentelemetry/core';
import { readCaller } from './caller.ts';
import { parseTraceState, trimWhitespace } from './trace-state.ts';

/** Level 2, section 3.2.2.5.2: at least the last seven bytes of the trace id are random. */
const randomFlag = 0x02;

/**
 * W3C Trace Context, levels 1 and 2. It differs from the propagator that comes with OpenTelemetry in this:
 *
 * - A `tracestate` that breaks a rule is not passed on, where the other passes on what is left of it.
 * - The random flag goes on as it came, and is set on a trace that begins here. Flags that no level knows are cleared.
 * - Of several `traceparent` headers it takes none, whatever carries them.
 */
export class TraceContextPropagator implements TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const span = trace.getSpanContext(context);
    if (span === undefined || !isSpanContextValid(span) || isTracingSuppressed(context)) return;
    const flags = (span.traceFlags & TraceFlags.SAMPLED) | readRandomFlag(context, span.traceId);
    setter.set(carrier, 'traceparent', `00-${span.traceId}-${span.spanId}-0${flags}`);
    const traceState = span.traceState?.serialize();
    if (traceState) setter.set(carrier, 'tracestate', traceState);
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const [traceparent = '', ...more] = [getter.get(carrier, 'traceparent') ?? []].flat().map(trimWhitespace);
    // The parser would let pass one character of any white space there is.
    const parent = more.length > 0 || /\s/.test(traceparent) ? null : parseTraceParent(traceparent);
    // Section 3.3: without a valid `traceparent` nobody looks at `tracestate`.
    if (parent === null) return context;
    const traceState = parseTraceState([getter.get(carrier, 'tracestate') ?? []].flat().join(','));
    return trace.setSpanContext(context, {
      ...parent,
      isRemote: true,
      ...(traceState === null ? {} : { traceState }),
    });
  }

  fields(): string[] {
    return ['traceparent', 'tracestate'];
  }
}

/** The SDK makes trace ids that are random in all their bytes; of others the caller knows. */
function readRandomFlag(context: Context, traceId: string): number {
  const caller = readCaller(context);
  return caller?.isTrusted && caller.spanContext.traceId === traceId
    ? caller.spanContext.traceFlags & randomFlag
    : randomFlag;
}
