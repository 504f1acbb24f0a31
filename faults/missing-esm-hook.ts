// Imported by name and without a loader hook for ES modules: the instrumentation patches only the module that is required.

import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Fault } from './apply/fault.ts';

/** The HTTP client is loaded by an ES import, and the instrumentation patches only modules that `require` loads. */
export const fault: Fault = {
  where: 'service-a',
  made: 'calls through `import { get } from "node:http"` without a loader hook',
  modes: ['auto'],
  wrapsFetch: true,
  preload: {
    'service-a': () => {
      globalThis.fetch = fetchByNodeHttp;
    },
  },
};

/** As `fetch`, for the requests of service A. */
async function fetchByNodeHttp(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const url = new URL(input instanceof Request ? input.url : input);
  const request = get(url, init.signal ? { signal: init.signal } : {});
  const answers: readonly IncomingMessage[] = await once(request, 'response');
  const [answer] = answers;
  if (answer === undefined) throw new Error('no answer');
  const headers = { 'content-type': answer.headers['content-type'] ?? '' };
  return new Response(await text(answer), { status: answer.statusCode ?? 500, headers });
}
