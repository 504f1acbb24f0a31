import { isRoot } from '../graph/trace-graph.ts';
import type { HeaderCause } from './header-cause.ts';

/** Neither a CLIENT span nor a header left a caller that makes other spans: its client library does nothing. */
export const clientNotInstrumented: HeaderCause = {
  id: 'client-not-instrumented',
  needs: {
    sides: ['caller'],
    excludes: ['header-malformed', 'header-duplicated', 'header-ignored', 'header-rewritten'],
  },
  explain: ({ client, server, likeliest, headers: { sent, onlyTraceparent } }) =>
    likeliest === 'client-not-instrumented' &&
    client === null &&
    server !== null &&
    isRoot(server) &&
    sent !== null &&
    !onlyTraceparent &&
    sent.contexts.length === 0
      ? 'the request left the caller without a CLIENT span and without any propagation header'
      : null,
};
