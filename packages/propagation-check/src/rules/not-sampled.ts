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

const flagIsZero = 'the sampled flag in traceparent was 0';

/** The sampled flag was 0 (W3C Trace Context, section 3.2.2.5.1), and the called service left no span. */
export const calleeNotSampled: HeaderCause = {
  finding,
  // A hop behind the tap may have changed the flag, or named its own span in the answer.
  needs: { sides: ['callee'] },
  explain: (call) => {
    const { server, headers } = call;
    const answered = readMissingAnswer(call);
    if (answered?.sampled === false)
      return `the called service answered with its span ${answered.spanId}, whose sampled flag is 0`;
    return server === null && isUnsampled(headers.received ?? headers.sent) ? flagIsZero : null;
  },
};

/** The sampled flag was 0, and the caller left no span: the called service did not follow the caller's decision. */
export const callerNotSampled: HeaderCause = {
  finding,
  // A hop before the tap may have changed the flag.
  needs: { sides: ['caller'] },
  explain: ({ client, headers: { sent, received } }) =>
    client === null && isUnsampled(sent ?? received) ? flagIsZero : null,
};

function isUnsampled(context: Parameters<typeof readTracecontext>[0]): boolean {
  const reading = readTracecontext(context);
  return reading?.state === 'valid' && reading.sampled === false;
}
