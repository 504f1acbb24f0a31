import { context } from '@opentelemetry/api';
import { getRPCMetadata } from '@opentelemetry/core';
import type { Connection, Peers } from './peers.ts';
import { formatTraceparent } from './traceparent.ts';

/** A plug-in of Fastify 5. Fastify is an optional peer, so its own types may be missing: these are the parts that are used. */
export type TrustPlugin = (app: HookedApp, options: object, done: () => void) => void;

interface HookedApp {
  addHook(
    name: 'onSend',
    hook: (request: HookedRequest, reply: HookedReply, payload: unknown, next: () => void) => void,
  ): unknown;
}

interface HookedRequest {
  readonly raw: { readonly socket: Connection };
}

interface HookedReply {
  getHeader(name: string): number | string | string[] | undefined;
  header(name: string, value: string): unknown;
}

/**
 * Answers each request of a trusted peer that has a SERVER span with the ids of that span, sampled or not: the caller learns what
 * became of the request. Others could learn from the answer which of their requests are not recorded.
 * Source: W3C Trace Context, level 3 draft, `Server-Timing: trace;desc=…` (w3c/trace-context#560), and its older form, `traceresponse`.
 */
export function answerTrustedCallers(peers: Peers): TrustPlugin {
  const plugin: TrustPlugin = (app, _options, done) => {
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
