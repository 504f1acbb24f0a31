import {
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { getRPCMetadata, RPCType, setRPCMetadata } from '@opentelemetry/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { describeHeaders } from './headers.ts';
import { healthPath } from './health.ts';
import { redactPath } from './redact.ts';

/**
 * Tells the HTTP instrumentation what only Fastify knows: the route, of which the SERVER span gets its name and `http.route`, and the
 * headers of the answer, which Fastify writes without `setHeader`.
 */
export function completeServerSpans(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    const metadata = getRPCMetadata(context.active());
    if (metadata !== undefined) {
      const route = request.routeOptions.url;
      if (route !== undefined) metadata.route = route;
      // The span ends at `close`.
      reply.raw.once('finish', () => recordAnswer(metadata.span, reply));
    }
    done();
  });
}

/** Manual mode: runs each request in a SERVER span below its caller's. `onStart` is called with that span active. */
export function addServerSpans(
  app: FastifyInstance,
  tracer: Tracer,
  onStart: (span: Span, request: FastifyRequest) => void = () => {},
): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.url === healthPath) return done();

    const callerContext = propagation.extract(ROOT_CONTEXT, request.headers);
    const { name, attributes } = describeServerSpan(request);
    const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, callerContext);
    // `close` follows an answered and an aborted request alike.
    reply.raw.once('close', () => endServerSpan(span, reply));

    const requestContext = setRPCMetadata(trace.setSpan(callerContext, span), { type: RPCType.HTTP, span });
    context.with(requestContext, () => {
      onStart(span, request);
      done();
    });
  });
}

function describeServerSpan({ method, protocol, url, headers, routeOptions }: FastifyRequest) {
  const route = routeOptions.url;
  return {
    name: route === undefined ? method : `${method} ${route}`,
    attributes: {
      'http.request.method': method,
      'url.scheme': protocol,
      'url.path': redactPath(url),
      ...(route === undefined ? {} : { 'http.route': route }),
      ...describeHeaders('request', (name) => headers[name]),
    },
  };
}

function endServerSpan(span: Span, reply: FastifyReply): void {
  // A caller that has gone before has no answer.
  if (reply.raw.headersSent) {
    span.setAttribute('http.response.status_code', reply.statusCode);
    recordAnswer(span, reply);
  }
  if (reply.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

function recordAnswer(span: Span, reply: FastifyReply): void {
  span.setAttributes(describeHeaders('response', (name) => reply.getHeader(name)));
}
