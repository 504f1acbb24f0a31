import { context, type SpanContext } from '@opentelemetry/api';
import { getRPCMetadata } from '@opentelemetry/core';
import type { FastifyInstance, FastifyPluginCallback } from 'fastify';

/**
 * Answers each request of a trusted peer that has a SERVER span with the ids of that span, sampled or not: the caller learns what
 * became of the request. Others could learn from the answer which of their requests are not recorded.
 * Source: W3C Trace Context, level 3 draft, `Server-Timing: trace;desc=…`, and its older form, `traceresponse`.
 */
export function answerTrustedCallers(
  isTrusted: (address: string | undefined) => boolean,
): FastifyPluginCallback {
  const plugin: FastifyPluginCallback = (app: FastifyInstance, _options, done) => {
    app.addHook('onSend', (request, reply, _payload, next) => {
      if (isTrusted(request.socket.remoteAddress)) {
        const span = getRPCMetadata(context.active())?.span.spanContext();
        if (span !== undefined) {
          const value = render(span);
          const own = [reply.getHeader('server-timing') ?? []].flat();
          reply.header('server-timing', [...own, `trace;desc=${value}`].join(', '));
          reply.header('traceresponse', value);
        }
      }
      next();
    });
    done();
  };
  // For the instance that registers it, not for a child of it. Source: Fastify, "Plugins", `skip-override`.
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true });
}

function render({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}
