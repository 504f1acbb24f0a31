import { type HeaderCause, readTracecontext } from './header-cause.ts';

/** A valid header arrived that is not the one which the caller's CLIENT span wrote. */
export const headerRewritten: HeaderCause = {
  id: 'header-rewritten',
  explain: ({ client, headers: { sent, received } }) => {
    const [before, after] = [readTracecontext(sent), readTracecontext(received)];
    if (after?.state !== 'valid' || after.spanId === null) return null;
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
