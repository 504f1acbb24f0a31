import { type HeaderCause, readTracecontext } from './header-cause.ts';

/**
 * Several `traceparent` headers are no valid one (W3C Trace Context, section 3.2): Node and WSGI take none, Go and ASGI
 * the first.
 */
export const headerDuplicated: HeaderCause = {
  id: 'header-duplicated',
  explain: ({ server, headers: { received } }) => {
    const reading = readTracecontext(received);
    if (reading?.state !== 'duplicated') return null;
    const taken =
      server === null || server.parentSpanId === null ? '' : `, and ${server.parentSpanId} was taken`;
    return `traceparent arrived ${reading.count} times${taken}`;
  },
};
