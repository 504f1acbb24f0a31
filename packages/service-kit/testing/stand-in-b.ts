import type { IncomingHttpHeaders } from 'node:http';
import { listen } from './listen.ts';

/** Stands in for service B and keeps the headers of each request: what service A really sends. */
export async function standInForB(): Promise<
  Disposable & { readonly url: string; readonly received: readonly IncomingHttpHeaders[] }
> {
  const received: IncomingHttpHeaders[] = [];
  const server = await listen((request, response) => {
    received.push(request.headers);
    const work = { received_traceparent: null, trace_id: null, parent_span_id: null };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(work));
  });
  return { ...server, received };
}
