import {
  type Context,
  ROOT_CONTEXT,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  trace,
} from '@opentelemetry/api';
import { readCaller, setCaller } from './caller.ts';
import { randomFlag } from './traceparent.ts';

/**
 * Extracts the context of trusted senders only. Of the others it takes neither ids, sampling decision, `tracestate` nor
 * baggage; it keeps the span that they name (`readCaller`), for a link. Injection is left to the inner propagator.
 */
export class BoundaryPropagator implements TextMapPropagator {
  readonly #inner: TextMapPropagator;
  readonly #isSenderTrusted: (carrier: unknown) => boolean;
  /** Around the last getter: all requests come with the same one. */
  #spanNameGetter: SpanNameGetter | undefined;

  constructor(inner: TextMapPropagator, isSenderTrusted: (carrier: unknown) => boolean) {
    this.#inner = inner;
    this.#isSenderTrusted = isSenderTrusted;
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const isTrusted = this.#isSenderTrusted(carrier);
    const extracted = isTrusted
      ? this.#inner.extract(context, carrier, getter)
      : this.#inner.extract(ROOT_CONTEXT, carrier, this.#hideLists(getter));
    const accepted = isTrusted ? extracted : context;
    const spanContext = trace.getSpanContext(extracted);
    if (!spanContext?.isRemote) return accepted;
    const { traceId, spanId, traceFlags } = spanContext;
    // This caller is never read, and each value copies the context.
    if (isTrusted && (traceFlags & randomFlag) !== 0 && readCaller(context) === undefined) return accepted;
    return setCaller(accepted, { spanContext: { traceId, spanId, traceFlags, isRemote: true }, isTrusted });
  }

  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    this.#inner.inject(context, carrier, setter);
  }

  fields(): string[] {
    return this.#inner.fields();
  }

  #hideLists(getter: TextMapGetter): TextMapGetter {
    if (this.#spanNameGetter?.inner !== getter) this.#spanNameGetter = new SpanNameGetter(getter);
    return this.#spanNameGetter;
  }
}

/** Hides the headers that do not name a span, so that nobody untrusted makes the service parse long lists. */
class SpanNameGetter implements TextMapGetter {
  readonly inner: TextMapGetter;

  constructor(inner: TextMapGetter) {
    this.inner = inner;
  }

  get(carrier: unknown, key: string): undefined | string | string[] {
    return key === 'tracestate' || key === 'baggage' ? undefined : this.inner.get(carrier, key);
  }

  keys(carrier: unknown): string[] {
    return this.inner.keys(carrier);
  }
}
