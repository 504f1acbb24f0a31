import { randomBytes } from 'node:crypto';
import { type OutgoingHttpHeaders, request as send } from 'node:http';
import { startTap } from 'propagation-check';
import { listen } from 'service-kit/testing';

export interface HopOptions {
  readonly protocol: '1' | '2';
  /** Called for each request. */
  readonly target: () => string;
  /** How the hop treats the `traceparent` header. */
  readonly does: 'pass' | 'strip' | 'rewrite';
  readonly host: 'kept' | 'own';
  /** Prefix of the path; HTTP/1.1 only. */
  readonly prefix?: string;
}

export interface Hop {
  readonly url: string;
  close(): Promise<unknown>;
}

/** Starts a reverse proxy that makes no spans. For HTTP/2 it is a tap whose records are ignored. */
export async function startHop({ protocol, target, does, host, prefix = '' }: HopOptions): Promise<Hop> {
  if (protocol === '2') {
    const faults = does === 'pass' ? [] : [does];
    return startTap({ listen: { port: 0 }, target: target(), faults, onRecord: () => undefined });
  }
  const server = await listen((request, response) => {
    const next = new URL(target());
    const headers: OutgoingHttpHeaders = {
      ...request.headersDistinct,
      host: host === 'own' ? next.host : request.headers.host,
    };
    if (does === 'strip') delete headers.traceparent;
    if (does === 'rewrite')
      headers.traceparent = `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
    const onward = send({
      host: next.hostname,
      port: next.port,
      method: request.method ?? 'GET',
      path: `${prefix}${request.url ?? '/'}`,
      headers,
    });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.writeHead(502).end());
    request.pipe(onward);
  });
  return { url: server.url, close: async () => server[Symbol.dispose]() };
}
