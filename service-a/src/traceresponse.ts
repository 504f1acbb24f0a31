import { context } from '@opentelemetry/api';
import { getRPCMetadata } from '@opentelemetry/core';
import type { FastifyInstance } from 'fastify';
import { createTrustTest, type Trust } from './trust.ts';

/**
 * Answers every request of a trusted peer that has a SERVER span with that span's ids, sampled or not, so that who sees the answer
 * knows what became of the request. Others could learn from it when nobody looks: which of their requests are not recorded.
 * Source: W3C Trace Context Level 3 draft, "traceresponse".
 */
export function addTraceresponse(app: FastifyInstance, trust: Trust): void {
  const isTrusted = createTrustTest(trust);
  app.addHook('onSend', (request, reply, _payload, done) => {
    const span = getRPCMetadata(context.active())?.span.spanContext();
    if (span !== undefined && isTrusted(request.socket.remoteAddress)) {
      const flags = span.traceFlags.toString(16).padStart(2, '0');
      reply.header('traceresponse', `00-${span.traceId}-${span.spanId}-${flags}`);
    }
    done();
  });
}
