import { traceparentFaults } from '../headers/parse-traceparent.ts';
import { defineFinding } from './define-finding.ts';
import { type HeaderCause, readTracecontext } from './header-cause.ts';

export const finding = defineFinding('header-malformed', {
  kind: 'cause',
  isConclusive: true,
  shows: 'the same; B received something that is not a valid `traceparent`',
  title: 'The header is not a valid traceparent',
  why: 'The called service received a traceparent that W3C Trace Context tells it to ignore.',
  fix: 'Find the hop that cuts or builds the header by hand and let a propagator write it.',
});

/** A `traceparent` that receivers must ignore (W3C Trace Context, section 3.2.2). */
export const headerMalformed: HeaderCause = {
  finding,
  explain: ({ headers: { received } }) => {
    const reading = readTracecontext(received);
    if (reading?.state !== 'malformed') return null;
    const why = reading.reason === 'invalid' ? 'it is not valid' : traceparentFaults[reading.reason];
    return `the traceparent that arrived is malformed: ${why}`;
  },
};
