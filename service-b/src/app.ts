import { context, propagation, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';
import { getRPCMetadata } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import * as kit from 'service-kit/server';
import type { Config } from './config.ts';
import { addManualSpans } from './manual.ts';

/** The answer of `GET /work`. Ids are lower-case hex; null where there is no span, parent or header. */
export interface Work {
  readonly service: 'service-b';
  /** The header as it arrived. Node joins several of them with ", ". */
  readonly received_traceparent: string | null;
  readonly trace_id: string | null;
  readonly span_id: string | null;
  readonly parent_span_id: string | null;
  readonly baggage: Readonly<Record<string, string>>;
}

/** Builds the service, ready for `listen` or `inject`. Without telemetry every id in its answers is null. */
export function buildApp(config: Config): FastifyInstance {
  const { tls, limits } = config;
  // 0: the handler waits for nothing.
  const options = kit.createServerOptions(config, 0);
  const https =
    tls === null ? null : { ...options.http, ...kit.createTlsOptions(tls, limits.requestTimeoutMillis) };
  const app = fastify({ ...options, https });
  if (config.propagation === 'manual') addManualSpans(app);
  else kit.completeServerSpans(app);
  // Added after the spans, so that a refused request has a span too.
  kit.addLimits(app, limits);
  kit.addHealth(app);

  app.get('/work', async function work(request): Promise<Work> {
    const span = getRPCMetadata(context.active())?.span;
    return {
      service: 'service-b',
      received_traceparent: request.headers.traceparent?.toString() ?? null,
      trace_id: span?.spanContext().traceId ?? null,
      span_id: span?.spanContext().spanId ?? null,
      parent_span_id: span === undefined ? null : readParentSpanId(span, request),
      baggage: readBaggage(),
    };
  });

  return app;
}

function readParentSpanId(span: Span, request: FastifyRequest): string | null {
  if (isRecorded(span)) return span.parentSpanContext?.spanId ?? null;
  // A span that is not recorded has no parent field, so the parent is the span in the received headers.
  const caller = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, request.headers));
  return caller?.traceId === span.spanContext().traceId ? caller.spanId : null;
}

/** The API's type `Span` has no parent; the SDK's recorded span has one. */
function isRecorded(span: Span): span is Span & Pick<ReadableSpan, 'parentSpanContext'> {
  return 'parentSpanContext' in span;
}

function readBaggage(): Readonly<Record<string, string>> {
  const entries = propagation.getActiveBaggage()?.getAllEntries() ?? [];
  return Object.fromEntries(entries.map(([key, entry]) => [key, entry.value]));
}
