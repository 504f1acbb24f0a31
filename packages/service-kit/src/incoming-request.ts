import type { IncomingMessage } from 'node:http';
import type { Attributes } from '@opentelemetry/api';
import type { ServiceConfig } from './config.ts';
import { healthPath } from './health.ts';
import { redacted, redactPath } from './redact.ts';

/** For instrumentation-http: health checks and requests for the counters make no span, and secrets stay out of the others. */
export function createHttpHooks({ metricsPort }: Pick<ServiceConfig, 'metricsPort'>) {
  return {
    ignoreIncomingRequestHook: ({ url, socket }: IncomingMessage): boolean =>
      url === healthPath ||
      url?.startsWith(`${healthPath}?`) === true ||
      (metricsPort !== null && socket.localPort === metricsPort),
    startIncomingSpanHook: redactRequest,
  };
}

/** Headers from which the instrumentation takes addresses; an empty one does not hide the next. */
const claims = ['forwarded', 'x-forwarded-for', 'x-forwarded-host'] as const;

/** Overrides what the instrumentation would take from the request as it came: its query, and the addresses that it claims. */
function redactRequest({ url = '', socket, headers }: IncomingMessage): Attributes {
  const attributes: Attributes = {};
  const path = redactPath(url);
  if (path !== url || path.startsWith('//')) attributes['url.path'] = path;
  if (url.includes('?')) attributes['url.query'] = redacted;
  if (claims.some((name) => headers[name] !== undefined) || headers.host?.includes('@')) {
    const host = URL.parse(`http://${headers.host ?? ''}`);
    attributes['client.address'] = socket.remoteAddress;
    // The address that the caller asked for; forwarded addresses can be forged.
    attributes['server.address'] = host?.hostname;
    attributes['server.port'] = host?.port ? Number(host.port) : socket.localPort;
  }
  return attributes;
}
