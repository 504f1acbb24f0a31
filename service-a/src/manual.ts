/** Manual propagation: with `PROPAGATION=manual` this module makes the CLIENT span instead of the instrumentation. */
import { context, propagation, SpanKind, trace } from '@opentelemetry/api';
import { describeHeaders } from 'service-kit/server';
import { CallError, type Fetch, recordError } from './call-b.ts';

export const tracer = trace.getTracer('service-a');

/**
 * Runs `call` in a CLIENT span with baggage `hello=world`. The `fetch` that `call` gets injects both into the request headers.
 * The span ends with the call, so it records every error until the whole answer has been read and validated.
 */
export async function withClientSpan<Result>(fetch: Fetch, call: (fetch: Fetch) => Promise<Result>) {
  const received = propagation.getActiveBaggage() ?? propagation.createBaggage();
  const baggage = received.setEntry('hello', { value: 'world' });
  const callerContext = propagation.setBaggage(context.active(), baggage);
  // Baggage is not part of a span, so this attribute shows in the trace that it was sent.
  const attributes = { 'baggage.hello': 'world' };
  const span = tracer.startSpan('GET', { kind: SpanKind.CLIENT, attributes }, callerContext);
  const clientContext = trace.setSpan(callerContext, span);

  const injectingFetch: Fetch = async (url, init) => {
    const headers: Record<string, string> = {};
    propagation.inject(clientContext, headers);
    span.setAttributes({
      'http.request.method': 'GET',
      'url.full': url.href,
      'server.address': url.hostname,
      'server.port': Number(url.port || (url.protocol === 'https:' ? 443 : 80)),
      ...describeHeaders('request', (name) => headers[name]),
    });
    const response = await fetch(url, { ...init, headers });
    span.setAttribute('http.response.status_code', response.status);
    span.setAttributes(describeHeaders('response', (name) => response.headers.get(name)));
    return response;
  };

  try {
    return await context.with(clientContext, call, undefined, injectingFetch);
  } catch (error) {
    if (error instanceof CallError) recordError(span, error);
    throw error;
  } finally {
    span.end();
  }
}
