import type { HeaderCause } from './header-cause.ts';

/** Nothing left the caller. */
export const headerNotSent: HeaderCause = {
  id: 'header-not-sent',
  explain: ({ headers: { sent, onlyTraceparent } }) =>
    sent !== null && !onlyTraceparent && sent.contexts.length === 0
      ? 'the request left the caller without any propagation header'
      : null,
};
