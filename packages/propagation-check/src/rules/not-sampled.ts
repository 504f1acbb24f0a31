import { type HeaderCause, readMissingAnswer, readTracecontext } from './header-cause.ts';

/** The sampled flag was 0 (W3C Trace Context, section 3.2.2.5.1), and one side left no span. */
export const notSampled: HeaderCause = {
  id: 'not-sampled',
  explain: (call) => {
    const { client, server, headers } = call;
    const answered = readMissingAnswer(call);
    if (answered?.sampled === false)
      return `the called service answered with its span ${answered.spanId}, whose sampled flag is 0`;
    const reading = readTracecontext(headers.received ?? headers.sent);
    return reading?.state === 'valid' && reading.sampled === false && (client === null || server === null)
      ? 'the sampled flag in traceparent was 0'
      : null;
  },
};
