import { type HeaderCause, readTracecontext } from './header-cause.ts';

/** Several `traceparent` headers are no valid one (W3C Trace Context, section 3.2). */
export const headerDuplicated: HeaderCause = {
  id: 'header-duplicated',
  explain: ({ headers: { received } }) => {
    const reading = readTracecontext(received);
    return reading?.state === 'duplicated' ? `traceparent arrived ${reading.count} times` : null;
  },
};
