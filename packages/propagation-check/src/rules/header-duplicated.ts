import { defineFinding } from './define-finding.ts';
import { type HeaderCause, readTracecontext } from './header-cause.ts';

export const finding = defineFinding('header-duplicated', {
  kind: 'cause',
  isConclusive: true,
  shows: 'the same, or a wrong parent; B received two',
  title: 'The header arrives twice',
  why: 'Two traceparent headers are not valid: some servers take none of them, others take the first.',
  fix: 'Remove the code that sets traceparent by hand: the instrumentation of the HTTP client sets it already.',
});

/** Several `traceparent` headers are not valid (W3C Trace Context, section 3.2): Node and WSGI take none, Go and ASGI take the first. */
export const headerDuplicated: HeaderCause = {
  finding,
  explain: ({ server, headers: { received } }) => {
    const reading = readTracecontext(received);
    if (reading?.state !== 'duplicated') return null;
    const taken =
      server === null || server.parentSpanId === null ? '' : `, and ${server.parentSpanId} was taken`;
    return `traceparent arrived ${reading.count} times${taken}`;
  },
};
