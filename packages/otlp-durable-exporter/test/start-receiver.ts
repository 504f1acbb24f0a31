import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { decodeBytes } from 'propagation-check';

export { findFreePort } from 'propagation-check/test/free-ports';

/** An export request, as it arrived. */
export interface Received {
  readonly spanNames: readonly string[];
  readonly headers: IncomingMessage['headers'];
  /** Milliseconds of the monotonic clock. */
  readonly at: number;
}

/** Answers an export request, or fails in some way. */
export type Answer = (
  response: ServerResponse,
  request: IncomingMessage,
  spanNames: readonly string[],
) => void;

/** An OTLP/HTTP receiver whose answers a test sets. */
export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** All requests so far, whether they were answered or not. */
  readonly received: readonly Received[];
  /** The names of all accepted spans, in order. */
  readonly accepted: readonly string[];
  answer: Answer;
  /** Resolves after a request, once the condition holds. */
  until(condition: () => boolean): Promise<void>;
}

export const accept: Answer = (response) =>
  response.writeHead(200, { 'content-type': 'application/json' }).end('{}');

export function answerWith(status: number, headers: Record<string, string> = {}, body = ''): Answer {
  return (response) => response.writeHead(status, headers).end(body);
}

/** Listens on the loopback interface, by default on a free port. */
export async function startReceiver(answer: Answer = accept, port = 0): Promise<Receiver> {
  const received: Received[] = [];
  const accepted: string[] = [];
  const waiting = new Set<() => void>();
  const server = createServer(async (request, response) => {
    const spanNames = readSpanNames(await buffer(request), request.headers);
    received.push({ spanNames, headers: request.headers, at: performance.now() });
    response.once('close', () => {
      for (const check of waiting) check();
    });
    response.once('finish', () => {
      if (response.statusCode === 200) accepted.push(...spanNames);
    });
    receiver.answer(response, request, spanNames);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the receiver has no TCP address');
  const receiver: Receiver = {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    received,
    accepted,
    answer,
    until: (condition) =>
      new Promise((resolve) => {
        const check = () => {
          if (!condition()) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}

function readSpanNames(body: Buffer, headers: IncomingMessage['headers']): readonly string[] {
  if (headers['content-type'] === 'application/x-protobuf')
    return decodeBytes(body).spans.map(({ name }) => name);
  const { resourceSpans } = JSON.parse(
    (headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString(),
  );
  const names: string[] = [];
  for (const { scopeSpans } of resourceSpans) {
    for (const { spans } of scopeSpans) for (const { name } of spans) names.push(name);
  }
  return names;
}
