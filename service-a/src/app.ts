import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { getRPCMetadata, parseTraceParent } from '@opentelemetry/core';
import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { CallError, callB, type Fetch, type Work } from './call-b.ts';
import type { Config } from './config.ts';
import { type Fault, faults, type Runner } from './fault.ts';
import { addLimits, createServerOptions } from './limits.ts';
import { addServerSpans, withClientSpan } from './manual.ts';
import { readPath } from './redact.ts';
import { createTlsFetch } from './tls.ts';
import { addTraceresponse } from './traceresponse.ts';

/** What `GET /call-b` answers. Ids are lower-case hex; null where there is no span, parent or valid header. */
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
export function buildApp(
  config: Pick<
    Config,
    | 'serviceBUrl'
    | 'serviceBTimeoutMillis'
    | 'propagation'
    | 'fault'
    | 'trustIncoming'
    | 'logLevel'
    | 'limits'
    | 'tls'
  >,
): FastifyInstance {
  const fault: Fault = config.fault === null ? {} : faults[config.fault];
  const makesSpans = config.propagation === 'manual';
  const ownFetch: Fetch = config.tls === null ? fetch : createTlsFetch(config.tls);
  const send: Fetch = fault.wrapFetch?.(ownFetch) ?? ownFetch;
  const run: Runner = fault.createRunner?.() ?? ((call) => call());

  const app = fastify({
    ...createServerOptions(config.limits, config.serviceBTimeoutMillis),
    logger: { level: config.logLevel, mixin: readActiveIds, serializers: { req: describeRequest } },
    logController: new AnsweredRequestLog(),
  });

  if (makesSpans) addServerSpans(app);
  addTraceresponse(app, config.trustIncoming);
  addLimits(app, config.limits);

  app.get(
    '/healthz',
    { config: { otel: false }, logLevel: 'warn', schema: { response: { 200: healthSchema } } },
    async function answerHealth() {
      return { status: 'ok' };
    },
  );

  app.get(
    '/call-b',
    { schema: { response: { 200: comparisonSchema, '5xx': errorSchema } } },
    async function callServiceB(_request, reply): Promise<Comparison> {
      const gone = abortOnClose(reply);
      const call = (through: Fetch) => callB(config.serviceBUrl, config.serviceBTimeoutMillis, gone, through);
      const work = await run(() =>
        makesSpans && fault.instrumentClient !== false ? withClientSpan(send, call) : call(send),
      );
      return compare(readServerTraceId(), work);
    },
  );

  app.setErrorHandler(function answerError(error, request, reply) {
    if (!(error instanceof CallError)) return reply.send(error);
    // The CLIENT span carries the error too, with one exception: an instrumented `fetch` ends it with the last
    // byte of the body, before anyone can know that the body is not what was promised.
    const span = getRPCMetadata(context.active())?.span;
    // With the caller it ends.
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

/**
 * Aborted once the answer is given, or its caller gone: what is done for a caller ends with it. Otherwise calls to B would go on
 * beyond the limit on requests, which counts only those that somebody waits for.
 */
function abortOnClose(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => controller.abort());
  return controller.signal;
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

/** One line a request, once it is answered: what comes in is logged before a hand-made SERVER span has begun. */
class AnsweredRequestLog extends LogController {
  override incomingRequest(): void {}

  /** Its line has the whole URL in it, and the line below says the same. */
  override routeNotFound(): void {}

  override requestCompleted(
    error: Error | null | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    request.log.info(
      {
        method: request.method,
        path: readPath(request.url),
        status: reply.statusCode,
        duration_ms: Math.round(reply.elapsedTime),
        ...(error ? { err: error } : {}),
      },
      'request completed',
    );
  }
}

/** For the lines that Fastify writes about a request that failed. */
function describeRequest(request: FastifyRequest): { readonly method: string; readonly path: string } {
  return { method: request.method, path: readPath(request.url) };
}

/** For every log line; none where no span is active. */
function readActiveIds(): { readonly trace_id?: string; readonly span_id?: string } {
  const spanContext = trace.getActiveSpan()?.spanContext();
  return spanContext === undefined ? {} : { trace_id: spanContext.traceId, span_id: spanContext.spanId };
}

const nullableString = { type: ['string', 'null'] } as const;

const healthSchema = {
  type: 'object',
  required: ['status'],
  properties: { status: { const: 'ok', type: 'string' } },
} as const;

const comparisonSchema = {
  type: 'object',
  required: [
    'same_trace',
    'service_a_trace_id',
    'service_b_trace_id',
    'traceparent_header',
    'traceparent_parent_span_id',
    'service_b_parent_span_id',
    'parent_matches_traceparent',
  ],
  properties: {
    same_trace: { type: 'boolean' },
    service_a_trace_id: nullableString,
    service_b_trace_id: nullableString,
    traceparent_header: nullableString,
    traceparent_parent_span_id: nullableString,
    service_b_parent_span_id: nullableString,
    parent_matches_traceparent: { type: 'boolean' },
  },
} as const;

const errorSchema = {
  type: 'object',
  required: ['error', 'message'],
  properties: {
    error: { type: 'string' },
    message: { type: 'string' },
    trace_id: nullableString,
  },
} as const;
