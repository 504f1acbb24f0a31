import { isRoot } from '../graph/trace-graph.ts';
import { type HeaderCause, nameFormats, readTracecontext } from './header-cause.ts';

/** Only another format arrived, and the called service began a trace of its own. */
export const formatMismatch: HeaderCause = {
  id: 'format-mismatch',
  needs: {
    // A hop before the tap may have dropped `traceparent`, one behind it the header that arrived here.
    sides: ['caller', 'callee'],
    excludes: ['header-malformed', 'header-duplicated', 'header-ignored', 'header-rewritten'],
  },
  explain: ({ server, headers: { received } }) => {
    if (received === null || received.contexts.length === 0 || readTracecontext(received) !== null)
      return null;
    return server === null || isRoot(server)
      ? `only ${nameFormats(received)} arrived, which the called service did not read`
      : null;
  },
};
