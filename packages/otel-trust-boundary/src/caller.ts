import { type Context, createContextKey, type SpanContext } from '@opentelemetry/api';

/** The span that a request's headers name, and whether the request continues its trace. */
export interface Caller {
  readonly spanContext: SpanContext;
  readonly isTrusted: boolean;
}

const callerKey = createContextKey('otel-trust-boundary caller');

export function setCaller(context: Context, caller: Caller): Context {
  return context.setValue(callerKey, caller);
}

/** The caller of the request that is being served; undefined where its headers name none. */
export function readCaller(context: Context): Caller | undefined {
  const value = context.getValue(callerKey);
  return isCaller(value) ? value : undefined;
}

function isCaller(value: unknown): value is Caller {
  return typeof value === 'object' && value !== null && 'spanContext' in value && 'isTrusted' in value;
}
