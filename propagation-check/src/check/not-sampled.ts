import { type HeaderCause, readTracecontext } from './header-cause.ts';

/** The sampled flag was 0 (W3C Trace Context, section 3.2.2.5.1), and one side left no span. */
export const notSampled: HeaderCause = {
  id: 'not-sampled',
  explain: ({ client, server, headers: { sent, received } }) => {
    const reading = readTracecontext(received ?? sent);
    return reading?.state === 'valid' && reading.sampled === false && (client === null || server === null)
      ? 'the sampled flag in traceparent was 0'
      : null;
  },
};
