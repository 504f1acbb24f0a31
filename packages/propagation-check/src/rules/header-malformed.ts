import { traceparentFaults } from '../headers/parse-traceparent.ts';
import { type HeaderCause, readTracecontext } from './header-cause.ts';

/** A `traceparent` that receivers must ignore (W3C Trace Context, section 3.2.2). */
export const headerMalformed: HeaderCause = {
  id: 'header-malformed',
  explain: ({ headers: { received } }) => {
    const reading = readTracecontext(received);
    if (reading?.state !== 'malformed') return null;
    const why = reading.reason === 'invalid' ? 'it is not valid' : traceparentFaults[reading.reason];
    return `the traceparent that arrived is malformed: ${why}`;
  },
};
