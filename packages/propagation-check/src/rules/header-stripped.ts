import { defineFinding } from './define-finding.ts';
import { type HeaderCause, nameFormats, readTracecontext } from './header-cause.ts';

export const finding = defineFinding('header-stripped', {
  kind: 'cause',
  isConclusive: true,
  shows: 'the same; a header was sent by A and not received by B',
  title: 'The header is lost on the way',
  why: 'The caller sent trace context and the called service received none: a proxy, gateway or mesh removed it.',
  fix: 'Let every proxy between the two services forward traceparent, tracestate and baggage unchanged.',
});

/** Something left the caller, and nothing reached the called service; or `traceparent` left, and only other formats arrived. */
export const headerStripped: HeaderCause = {
  finding,
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
