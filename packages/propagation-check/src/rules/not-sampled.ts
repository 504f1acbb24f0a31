import { defineFinding } from './define-finding.ts';
import { type HeaderCause, readMissingAnswer, readTracecontext } from './header-cause.ts';

export const finding = defineFinding('not-sampled', {
  kind: 'cause',
  isConclusive: false,
  shows: 'the sampled flag was 0, or one side decides on its own',
  title: 'One side does not sample',
  why: 'The sampled flag was 0, or a service decides on its own instead of following its parent.',
  fix: 'Use a parent-based sampler in every service (OTEL_TRACES_SAMPLER=parentbased_traceidratio).',
});

/** The sampled flag was 0 (W3C Trace Context, section 3.2.2.5.1), and one side left no span. */
export const notSampled: HeaderCause = {
  finding,
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
