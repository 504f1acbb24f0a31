import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import type { TestContext } from 'node:test';

/** Starts a real HTTP server on a free port for one test. @returns Its URL. */
export async function startHttpServer(test: TestContext, listener: RequestListener): Promise<URL> {
  const server = createServer(listener);
  test.after(() => server.closeAllConnections());
  return listen(test, server, 'http');
}

/** Makes a server listen on a free port until the test ends. @returns Its URL. */
export async function listen(test: TestContext, server: Server, scheme: 'http' | 'https'): Promise<URL> {
  const { promise, resolve, reject } = Promise.withResolvers<AddressInfo>();
  server.once('error', reject);
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') resolve(address);
  });
  const { port } = await promise;
  test.after(() => server.close());
  return new URL(`${scheme}://127.0.0.1:${port}`);
}

/** Answers with JSON, or with a string unchanged. */
export function answer(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const isText = typeof body === 'string' || body instanceof Uint8Array;
  response.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json', ...headers });
  response.end(isText ? body : JSON.stringify(body));
}

/** The path and query of a request. */
export function targetOf(request: IncomingMessage): URL {
  return new URL(request.url ?? '/', 'http://localhost');
}
