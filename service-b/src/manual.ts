/** Manual propagation: with `PROPAGATION=manual` this module makes the SERVER span instead of the instrumentation. */
import { propagation, trace } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';
import { addServerSpans, recordedHeaders, redactHeader } from 'service-kit/server';

const tracer = trace.getTracer('service-b');

/** Runs each request in a SERVER span with the caller's span as parent, and logs the propagation headers that the caller sent. */
export function addManualSpans(app: FastifyInstance): void {
  addServerSpans(app, tracer, (span, request) => {
    const hello = propagation.getActiveBaggage()?.getEntry('hello')?.value ?? null;
    // Baggage is not part of a span, so this attribute shows in the trace that it arrived.
    if (hello !== null) span.setAttribute('baggage.hello', hello);
    const headers = recordedHeaders.requestHeaders.flatMap((name) => {
      const value = request.headers[name];
      return value === undefined ? [] : [[name, redactHeader(name, String(value))]];
    });
    request.log.info({ headers: Object.fromEntries(headers), hello }, 'received propagation headers');
  });
}
