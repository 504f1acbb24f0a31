import { defineFinding } from './define-finding.ts';
import { type HeaderCause, readTracecontext } from './header-cause.ts';

export const finding = defineFinding('header-rewritten', {
  kind: 'cause',
  isConclusive: true,
  shows: 'the trace id or span id differs between the two sides of the wire',
  title: 'The header is replaced on the way',
  why: 'The called service received a valid context that is not the one which the caller sent.',
  fix: 'Export the spans of the hop that starts its own trace, or let it forward the header that it received.',
});

/** A valid header arrived that differs from the one that the CLIENT span sent. */
export const headerRewritten: HeaderCause = {
  finding,
  explain: ({ client, headers: { sent, received } }) => {
    const [before, after] = [readTracecontext(sent), readTracecontext(received)];
    if (after?.state !== 'valid') return null;
    if (before?.state === 'valid') {
      return before.spanId !== after.spanId || before.traceId !== after.traceId
        ? `traceparent left with span id ${before.spanId} and arrived with ${after.spanId}`
        : null;
    }
    return sent === null && client !== null && client.spanId !== after.spanId
      ? `traceparent arrived with span id ${after.spanId}, not with that of CLIENT ${client.spanId}`
      : null;
  },
};
