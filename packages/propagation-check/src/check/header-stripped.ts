import { type HeaderCause, nameFormats } from './header-cause.ts';

/** Something left the caller, and nothing reached the called service. */
export const headerStripped: HeaderCause = {
  id: 'header-stripped',
  explain: ({ headers: { sent, received, onlyTraceparent } }) =>
    sent !== null && sent.contexts.length > 0 && received?.contexts.length === 0 && !onlyTraceparent
      ? `the caller sent ${nameFormats(sent)}, and no propagation header reached the called service`
      : null,
};
