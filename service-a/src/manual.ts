/** Propagation by hand: with `PROPAGATION=manual` this makes the CLIENT span, and no instrumentation does. */
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { describeHeaders } from 'service-kit/server';
import { CallError, type Fetch } from './call-b.ts';

export const tracer = trace.getTracer('service-a');

/**
 * Runs `call` in a CLIENT span and with baggage `hello=world`. The `fetch` that `call` gets sends both along.
 * The span ends when the call does: with it ends what went wrong until the whole answer was read and understood.
 */
export async function withClientSpan<Result>(
  fetch: Fetch,
  call: (fetch: Fetch) => Promise<Result>,
): Promise<Result> {
  const baggage = propagation.getActiveBaggage() ?? propagation.createBaggage();
  const callerContext = propagation.setBaggage(
    context.active(),
    baggage.setEntry('hello', { value: 'world' }),
  );
  // Baggage is not part of a span: without the attribute, the trace would not show that it was sent.
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
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof Error) span.recordException(error);
    span.setAttribute('error.type', error instanceof CallError ? error.code : '_OTHER');
    span.setStatus({ code: SpanStatusCode.ERROR, message });
    throw error;
  } finally {
    span.end();
  }
}
