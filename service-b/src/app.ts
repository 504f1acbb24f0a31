import { context, propagation, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';
import { getRPCMetadata } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import type { Config } from './config.ts';
import { addLimits, createServerOptions } from './limits.ts';
import { addServerSpans } from './manual.ts';
import { readPath, redactHeader } from './redact.ts';
import { createTlsOptions } from './tls.ts';
import { addTraceresponse } from './traceresponse.ts';

/** What `GET /work` answers. Ids are lower-case hex; null where there is no span, parent or header. */
export interface Work {
  readonly service: 'service-b';
  /** The header as it arrived. Node joins several of them with ", ". */
  readonly received_traceparent: string | null;
  readonly trace_id: string | null;
  readonly span_id: string | null;
  readonly parent_span_id: string | null;
  readonly baggage: Readonly<Record<string, string>>;
}

/** The service, ready to listen or to be injected into. Without telemetry every id that it answers is null. */
export function buildApp(
  config: Pick<Config, 'propagation' | 'trustIncoming' | 'logLevel' | 'limits' | 'tls'>,
): FastifyInstance {
  // Whatever it answers is there at once.
  const options = createServerOptions(config.limits, 0);
  const app = fastify({
    ...options,
    https:
      config.tls === null
        ? null
        : { ...options.http, ...createTlsOptions(config.tls, config.limits.requestTimeoutMillis) },
    logger: {
      level: config.logLevel,
      mixin: readActiveIds,
      serializers: { req: describeRequest },
      redact: {
        paths: ['headers.*'],
        censor: (value, path) => redactHeader(path.at(-1) ?? '', String(value)),
      },
    },
    logController: new AnsweredRequestLog(),
  });

  if (config.propagation === 'manual') addServerSpans(app);
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
    '/work',
    { schema: { response: { 200: workSchema } } },
    async function work(request): Promise<Work> {
      const span = getRPCMetadata(context.active())?.span;
      return {
        service: 'service-b',
        received_traceparent: request.headers.traceparent?.toString() ?? null,
        trace_id: span?.spanContext().traceId ?? null,
        span_id: span?.spanContext().spanId ?? null,
        parent_span_id: span === undefined ? null : readParentSpanId(span, request),
        baggage: readBaggage(),
      };
    },
  );

  return app;
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

function readParentSpanId(span: Span, request: FastifyRequest): string | null {
  if (isRecorded(span)) return span.parentSpanContext?.spanId ?? null;
  // A span that is not sampled forgets its parent, which is then the one that the caller sent.
  const caller = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, request.headers));
  return caller?.traceId === span.spanContext().traceId ? caller.spanId : null;
}

/** The API's span keeps its parent to itself, the SDK's recorded span shows it. */
function isRecorded(span: Span): span is Span & Pick<ReadableSpan, 'parentSpanContext'> {
  return 'parentSpanContext' in span;
}

function readBaggage(): Readonly<Record<string, string>> {
  const entries = propagation.getActiveBaggage()?.getAllEntries() ?? [];
  return Object.fromEntries(entries.map(([key, entry]) => [key, entry.value]));
}

const nullableString = { type: ['string', 'null'] } as const;

const healthSchema = {
  type: 'object',
  required: ['status'],
  properties: { status: { const: 'ok', type: 'string' } },
} as const;

const workSchema = {
  type: 'object',
  required: ['service', 'received_traceparent', 'trace_id', 'span_id', 'parent_span_id', 'baggage'],
  properties: {
    service: { type: 'string' },
    received_traceparent: nullableString,
    trace_id: nullableString,
    span_id: nullableString,
    parent_span_id: nullableString,
    baggage: { type: 'object', additionalProperties: { type: 'string' } },
  },
} as const;
