import type { HeaderCause } from './header-cause.ts';

/** The caller has a CLIENT span, and nothing left it. */
export const headerNotSent: HeaderCause = {
  id: 'header-not-sent',
  needs: {
    sides: ['caller'],
    excludes: ['header-malformed', 'header-duplicated', 'header-ignored', 'header-rewritten'],
  },
  explain: ({ client, headers: { sent, onlyTraceparent } }) =>
    client !== null && sent !== null && !onlyTraceparent && sent.contexts.length === 0
      ? 'the request left the caller without any propagation header'
      : null,
};
