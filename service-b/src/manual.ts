/** Propagation by hand: with `PROPAGATION=manual` this makes the SERVER span, and no instrumentation does. */
import { propagation, trace } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';
import { addServerSpans, recordedHeaders, redactHeader } from 'service-kit/server';

const tracer = trace.getTracer('service-b');

/** Runs each request in a SERVER span below its caller's, and logs what the caller sent. */
export function addManualSpans(app: FastifyInstance): void {
  addServerSpans(app, tracer, (span, request) => {
    const hello = propagation.getActiveBaggage()?.getEntry('hello')?.value ?? null;
    // Baggage is not part of a span: without this, the trace would not show that it arrived.
    if (hello !== null) span.setAttribute('baggage.hello', hello);
    const headers = recordedHeaders.requestHeaders.flatMap((name) => {
      const value = request.headers[name];
      return value === undefined ? [] : [[name, redactHeader(name, String(value))]];
    });
    request.log.info({ headers: Object.fromEntries(headers), hello }, 'received propagation headers');
  });
}
