import { context } from '@opentelemetry/api';
import { getRPCMetadata } from '@opentelemetry/core';
import type { FastifyPluginCallback } from 'fastify';
import type { Peers } from './peers.ts';
import { formatTraceparent } from './traceparent.ts';

/**
 * Answers each request of a trusted peer that has a SERVER span with the ids of that span, sampled or not: the caller learns what
 * became of the request. Others could learn from the answer which of their requests are not recorded.
 * Source: W3C Trace Context, level 3 draft, `Server-Timing: trace;desc=…` (w3c/trace-context#560), and its older form, `traceresponse`.
 */
export function answerTrustedCallers(peers: Peers): FastifyPluginCallback {
  const plugin: FastifyPluginCallback = (app, _options, done) => {
    app.addHook('onSend', (request, reply, _payload, next) => {
      if (peers.isTrusted(request.raw.socket)) {
        const span = getRPCMetadata(context.active())?.span;
        if (span !== undefined) {
          const answer = formatTraceparent(span.spanContext(), 0);
          const metric = `trace;desc=${answer}`;
          const others = reply.getHeader('server-timing');
          reply.header('server-timing', others === undefined ? metric : [others, metric].flat().join(', '));
          reply.header('traceresponse', answer);
        }
      }
      next();
    });
    done();
  };
  // For the instance that registers it, not for a child of it. Source: Fastify, "Plugins", `skip-override`.
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true });
}
