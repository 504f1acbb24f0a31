import { context } from '@opentelemetry/api';
import { getRPCMetadata } from '@opentelemetry/core';
import type { FastifyInstance } from 'fastify';

/**
 * Answers every request that has a SERVER span with that span's ids, sampled or not, so that who sees the answer knows
 * what became of the request. Source: W3C Trace Context Level 3 draft, "traceresponse".
 */
export function addTraceresponse(app: FastifyInstance): void {
  app.addHook('onSend', (_request, reply, _payload, done) => {
    const span = getRPCMetadata(context.active())?.span.spanContext();
    if (span !== undefined) {
      const flags = span.traceFlags.toString(16).padStart(2, '0');
      reply.header('traceresponse', `00-${span.traceId}-${span.spanId}-${flags}`);
    }
    done();
  });
}
