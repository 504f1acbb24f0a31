/** Hooks for instrumentation-http. */
import type { IncomingMessage } from 'node:http';
import type { Attributes } from '@opentelemetry/api';
import type { ServiceConfig } from './config.ts';
import { healthPath } from './health.ts';
import { redacted, redactPath } from './redact.ts';

/** Whether a request makes no span: health checks, and those that read the counters. */
export function createIgnoreHook({
  metricsPort,
}: Pick<ServiceConfig, 'metricsPort'>): (request: IncomingMessage) => boolean {
  return ({ url, socket }) =>
    url === healthPath ||
    url?.startsWith(`${healthPath}?`) === true ||
    (metricsPort !== null && socket.localPort === metricsPort);
}

/** Headers from which the instrumentation takes addresses; an empty one does not hide the next. */
const claims = ['forwarded', 'x-forwarded-for', 'x-forwarded-host'] as const;

/** Overrides what the instrumentation would take from the request as it came: its query, and the addresses that it claims. */
export function redactRequest({ url = '', socket, headers }: IncomingMessage): Attributes {
  const attributes: Attributes = {};
  const path = redactPath(url);
  if (path !== url || path.startsWith('//')) attributes['url.path'] = path;
  if (url.includes('?')) attributes['url.query'] = redacted;
  if (claims.some((name) => headers[name] !== undefined) || headers.host?.includes('@')) {
    const host = URL.parse(`http://${headers.host ?? ''}`);
    attributes['client.address'] = socket.remoteAddress;
    // The address that the caller asked for; anybody can claim what was forwarded.
    attributes['server.address'] = host?.hostname;
    attributes['server.port'] = host?.port ? Number(host.port) : socket.localPort;
  }
  return attributes;
}
