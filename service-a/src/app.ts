import { context, SpanStatusCode } from '@opentelemetry/api';
import { getRPCMetadata, parseTraceParent } from '@opentelemetry/core';
import fastify, { type FastifyInstance } from 'fastify';
import {
  addHealth,
  addLimits,
  addRouteNames,
  addServerSpans,
  createServerOptions,
  createTlsFetch,
} from 'service-kit/server';
import { CallError, callB, type Fetch, type Work } from './call-b.ts';
import type { Config } from './config.ts';
import { tracer, withClientSpan } from './manual.ts';

/** The answer of `GET /call-b`. Ids are lower-case hex; null where there is no span, parent or valid header. */
export interface Comparison {
  readonly same_trace: boolean;
  readonly service_a_trace_id: string | null;
  readonly service_b_trace_id: string | null;
  /** The header as B received it. */
  readonly traceparent_header: string | null;
  readonly traceparent_parent_span_id: string | null;
  readonly service_b_parent_span_id: string | null;
  readonly parent_matches_traceparent: boolean;
}

const statusOf: Readonly<Record<CallError['code'], 499 | 502 | 504>> = {
  service_b_unreachable: 502,
  service_b_bad_answer: 502,
  service_b_timeout: 504,
  // Of nginx. Nobody gets it.
  caller_gone: 499,
};

/** The service, ready to listen or to be injected into. Without telemetry every id of its own is null. */
export function buildApp(config: Config): FastifyInstance {
  const { serviceBUrl, serviceBTimeoutMillis, tls } = config;
  const workUrl = new URL(`${serviceBUrl.pathname.replace(/\/$/, '')}/work`, serviceBUrl);
  const send: Fetch = tls === null ? fetch : createTlsFetch(tls);
  const isManual = config.propagation === 'manual';

  const app = fastify(createServerOptions(config, serviceBTimeoutMillis));
  if (isManual) addServerSpans(app, tracer);
  else addRouteNames(app);
  // After the spans: a refusal has one too.
  addLimits(app, config.limits);
  addHealth(app);

  app.get('/call-b', async function callServiceB(_request, reply): Promise<Comparison> {
    const call = (through: Fetch) => callB(workUrl, serviceBTimeoutMillis, reply.raw, through);
    return compare(readServerTraceId(), await (isManual ? withClientSpan(send, call) : call(send)));
  });

  app.setErrorHandler(function answerError(error, request, reply) {
    if (!(error instanceof CallError)) return reply.send(error);
    // The CLIENT span carries the error too, with one exception: an instrumented `fetch` ends it with the last
    // byte of the body, before anyone can know that the body is not what was promised.
    const span = getRPCMetadata(context.active())?.span;
    // The span ends when the caller disconnects.
    if (span?.isRecording()) {
      span.recordException(error);
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    }
    request.log.warn({ err: error }, 'call to service B failed');
    return reply
      .code(statusOf[error.code])
      .send({ error: error.code, message: error.message, trace_id: readServerTraceId() });
  });

  return app;
}

/** Compares what both services saw. A broken trace is a result, not an error. */
function compare(traceId: string | null, work: Work): Comparison {
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

function readServerTraceId(): string | null {
  return getRPCMetadata(context.active())?.span.spanContext().traceId ?? null;
}
