import { type HeaderCause, nameFormats, readTracecontext } from './header-cause.ts';

/** Something left the caller, and nothing reached the called service; or `traceparent` left, and only other formats arrived. */
export const headerStripped: HeaderCause = {
  id: 'header-stripped',
  explain: ({ headers: { sent, received, onlyTraceparent } }) => {
    if (sent === null || received === null || onlyTraceparent || sent.contexts.length === 0) return null;
    const isStripped =
      received.contexts.length === 0 ||
      (readTracecontext(sent) !== null && readTracecontext(received) === null);
    return isStripped
      ? `the caller sent ${nameFormats(sent)}, and ${received.contexts.length === 0 ? 'no propagation header' : `only ${nameFormats(received)}`} reached the called service`
      : null;
  },
};
