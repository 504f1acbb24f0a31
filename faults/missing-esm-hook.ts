import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Fault } from './apply/fault.ts';

/** The HTTP client is imported by name without a loader hook for ES modules, so the instrumentation, which patches `require`, misses it. */
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

/** Works like `fetch` for service A's requests. */
async function fetchByNodeHttp(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const url = new URL(input instanceof Request ? input.url : input);
  const request = get(url, init.signal ? { signal: init.signal } : {});
  const answers: readonly IncomingMessage[] = await once(request, 'response');
  const [answer] = answers;
  if (answer === undefined) throw new Error('no answer');
  const headers = { 'content-type': answer.headers['content-type'] ?? '' };
  return new Response(await text(answer), { status: answer.statusCode ?? 500, headers });
}
