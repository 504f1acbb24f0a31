import { changeFastify } from './apply/change-fastify.ts';
import type { Fault } from './apply/fault.ts';

/** A client does not read B's long answer to its end, so an instrumented `fetch` never ends its span. */
export const fault: Fault = {
  where: 'service-a',
  made: 'reads only the beginning of a long answer',
  modes: ['auto'],
  wrapsFetch: true,
  preload: { 'service-a': readOnlyBeginning, 'service-b': padAnswers },
};

/** Reads up to the first space, which B's answer has only in its padding. The rest is neither read nor cancelled. */
function readOnlyBeginning(): void {
  const { fetch } = globalThis;
  // A garbage-collected response would be cancelled, so the responses stay referenced.
  const unread: Response[] = [];
  globalThis.fetch = async (input, init) => {
    // Without a signal, because an aborted call would end its span.
    const response = await fetch(input, { ...init, signal: null });
    unread.push(response);
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    let beginning = '';
    while (reader !== undefined && !beginning.includes(' ')) {
      const { value, done } = await reader.read();
      if (done) break;
      beginning += decoder.decode(value, { stream: true });
    }
    return new Response(beginning, response);
  };
}

/** More than a client buffers of an unread answer. */
const paddingLength = 192 * 1024;

function padAnswers(): void {
  changeFastify((app) => {
    app.addHook('onSend', async (request, _reply, payload) =>
      request.routeOptions.url === '/work' ? `${payload}${' '.repeat(paddingLength)}` : payload,
    );
  });
}
