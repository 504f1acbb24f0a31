import { context } from '@opentelemetry/api';
import { getRPCMetadata, parseTraceParent } from '@opentelemetry/core';
import fastify, { type FastifyInstance } from 'fastify';
import * as kit from 'service-kit/server';
import { CallError, callB, type Fetch, recordError, statusOf, type Work } from './call-b.ts';
import type { Config } from './config.ts';
import { tracer, withClientSpan } from './manual.ts';

/** Builds the service, ready for `listen` or `inject`. Without telemetry its own ids in answers are null. */
export function buildApp(config: Config): FastifyInstance {
  const { serviceBUrl, serviceBTimeoutMillis, tls } = config;
  const workUrl = new URL(`${serviceBUrl.pathname.replace(/\/$/, '')}/work`, serviceBUrl);
  const send: Fetch = tls === null ? fetch : kit.createTlsFetch(tls);
  const isManual = config.propagation === 'manual';

  const app = fastify(kit.createServerOptions(config, serviceBTimeoutMillis));
  if (isManual) kit.addServerSpans(app, tracer);
  else kit.completeServerSpans(app);
  // Added after the spans, so that a refused request has a span too.
  kit.addLimits(app, config.limits);
  kit.addHealth(app);

  app.get('/call-b', async (_request, reply) => {
    const call = (through: Fetch) => callB(workUrl, serviceBTimeoutMillis, reply.raw, through);
    const work = await (isManual ? withClientSpan(send, call) : call(send));
    return compare(readServerSpan()?.spanContext().traceId ?? null, work);
  });

  app.setErrorHandler((error, request, reply) => {
    if (!(error instanceof CallError)) return reply.send(error);
    // The CLIENT span has the error too, unless the body is invalid: an instrumented `fetch` ends the span with the body's last byte.
    const span = readServerSpan();
    recordError(span, error);
    request.log.warn({ err: error }, 'call to service B failed');
    const { code, message } = error;
    return reply
      .code(statusOf[code])
      .send({ error: code, message, trace_id: span?.spanContext().traceId ?? null });
  });

  return app;
}

function readServerSpan() {
  return getRPCMetadata(context.active())?.span;
}

/** Compares the ids that both services saw; null without a span, parent or valid header. A broken trace is a result, not an error. */
function compare(traceId: string | null, work: Work) {
  const sentParent = parseTraceParent(work.received_traceparent ?? '')?.spanId ?? null;
  return {
    same_trace: traceId !== null && traceId === work.trace_id,
    service_a_trace_id: traceId,
    service_b_trace_id: work.trace_id,
    traceparent_header: work.received_traceparent,
    traceparent_parent_span_id: sentParent,
    service_b_parent_span_id: work.parent_span_id,
    parent_matches_traceparent: sentParent !== null && sentParent === work.parent_span_id,
  };
}
