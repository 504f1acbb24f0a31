/** Propagation by hand: what the instrumentations do for the service when `PROPAGATION=auto`. */
import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { RPCType, setRPCMetadata } from '@opentelemetry/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { notePeerAddress } from './caller.ts';
import { readPath } from './redact.ts';

const tracer = trace.getTracer('service-b');
const propagationHeaders = ['traceparent', 'tracestate', 'baggage', 'b3'] as const;

/** Runs every request, except to routes with `config.otel: false`, in a SERVER span under the context of a trusted caller. */
export function addServerSpans(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.config.otel === false) return done();

    notePeerAddress(request.raw);
    const callerContext = propagation.extract(ROOT_CONTEXT, request.headers);
    const span = startServerSpan(request, callerContext);
    // `close` follows an answered and an aborted request alike.
    reply.raw.once('close', () => endServerSpan(span, reply));

    const hello = propagation.getBaggage(callerContext)?.getEntry('hello')?.value;
    // Baggage is not part of a span: without this, the trace would not show that it arrived.
    if (hello !== undefined) span.setAttribute('baggage.hello', hello);

    const requestContext = setRPCMetadata(trace.setSpan(callerContext, span), { type: RPCType.HTTP, span });
    context.with(requestContext, () => {
      request.log.info(
        { headers: pickPropagationHeaders(request), hello: hello ?? null },
        'received propagation headers',
      );
      done();
    });
  });
}

function startServerSpan(request: FastifyRequest, callerContext: Context): Span {
  const route = request.routeOptions.url;
  return tracer.startSpan(
    route === undefined ? request.method : `${request.method} ${route}`,
    {
      kind: SpanKind.SERVER,
      attributes: {
        'http.request.method': request.method,
        'url.scheme': request.protocol,
        'url.path': readPath(request.url),
        ...(route === undefined ? {} : { 'http.route': route }),
      },
    },
    callerContext,
  );
}

function endServerSpan(span: Span, reply: FastifyReply): void {
  // A caller that has gone before has no answer.
  if (reply.raw.headersSent) span.setAttribute('http.response.status_code', reply.statusCode);
  if (reply.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

function pickPropagationHeaders(request: FastifyRequest): Readonly<Record<string, string | string[]>> {
  return Object.fromEntries(
    propagationHeaders.flatMap((name) => {
      const value = request.headers[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
