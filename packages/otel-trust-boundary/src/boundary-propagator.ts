import {
  type Context,
  ROOT_CONTEXT,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  trace,
} from '@opentelemetry/api';
import { setCaller } from './caller.ts';
import { readPeerAddress } from './peer-address.ts';

/**
 * Decides at the edge of the service whose context is taken in. Nothing of a peer that is not trusted is: neither ids, sampling
 * decision, `tracestate` nor baggage. What remains is the span that it named (`readCaller`), for a link.
 * Outgoing requests are left to the inner propagator.
 */
export class BoundaryPropagator implements TextMapPropagator {
  readonly #inner: TextMapPropagator;
  readonly #isTrusted: (address: string | undefined) => boolean;

  constructor(inner: TextMapPropagator, isTrusted: (address: string | undefined) => boolean) {
    this.#inner = inner;
    this.#isTrusted = isTrusted;
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const isTrusted = this.#isTrusted(readPeerAddress(carrier));
    const extracted = this.#inner.extract(isTrusted ? context : ROOT_CONTEXT, carrier, getter);
    const accepted = isTrusted ? extracted : context;
    const spanContext = trace.getSpanContext(extracted);
    if (!spanContext?.isRemote) return accepted;
    const { traceId, spanId, traceFlags } = spanContext;
    return setCaller(accepted, { spanContext: { traceId, spanId, traceFlags, isRemote: true }, isTrusted });
  }

  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    this.#inner.inject(context, carrier, setter);
  }

  fields(): string[] {
    return this.#inner.fields();
  }
}
