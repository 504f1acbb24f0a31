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
import type { Fetch } from './call-b.ts';
import { notePeerAddress } from './caller.ts';
import { readPath } from './redact.ts';

const tracer = trace.getTracer('service-a');

/**
 * Runs `call` in a CLIENT span and with baggage `hello=world`. The `fetch` that `call` gets sends both along.
 * The span ends when the call does, so it carries whatever went wrong until the whole answer was read and understood.
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
  const span = tracer.startSpan(
    'GET',
    { kind: SpanKind.CLIENT, attributes: { 'baggage.hello': 'world' } },
    callerContext,
  );
  const clientContext = trace.setSpan(callerContext, span);
  try {
    return await context.with(clientContext, call, undefined, injectInto(fetch, span, clientContext));
  } catch (error) {
    if (error instanceof Error) span.recordException(error);
    span.setAttribute(
      'error.type',
      error instanceof Error && 'code' in error ? String(error.code) : '_OTHER',
    );
    span.setStatus({
      code: SpanStatusCode.ERROR,
      message: error instanceof Error ? error.message : String(error),
    });
    throw error;
  } finally {
    span.end();
  }
}

function injectInto(fetch: Fetch, span: Span, clientContext: Context): Fetch {
  return async (url, init) => {
    const headers: Record<string, string> = {};
    propagation.inject(clientContext, headers);
    span.setAttributes({
      'http.request.method': 'GET',
      'url.full': url.href,
      'server.address': url.hostname,
      'server.port': Number(url.port || (url.protocol === 'https:' ? 443 : 80)),
    });
    const response = await fetch(url, { ...init, headers });
    span.setAttribute('http.response.status_code', response.status);
    return response;
  };
}

/** Runs every request, except to routes with `config.otel: false`, in a SERVER span under the context of a trusted caller. */
export function addServerSpans(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.config.otel === false) return done();

    notePeerAddress(request.raw);
    const callerContext = propagation.extract(ROOT_CONTEXT, request.headers);
    const span = startServerSpan(request, callerContext);
    // `close` follows an answered and an aborted request alike.
    reply.raw.once('close', () => endServerSpan(span, reply));
    const requestContext = setRPCMetadata(trace.setSpan(callerContext, span), { type: RPCType.HTTP, span });
    context.with(requestContext, done);
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
