import { type HeaderCause, readTracecontext } from './header-cause.ts';

/** The caller itself wrote the span id that is nowhere: its span existed and was not delivered. */
export const clientSpanLost: HeaderCause = {
  id: 'client-span-lost',
  explain: ({ client, server, headers: { sent } }) => {
    const reading = readTracecontext(sent);
    return client === null &&
      server !== null &&
      reading?.state === 'valid' &&
      reading.spanId === server.parentSpanId
      ? `the caller sent span id ${reading.spanId} itself, and its span never arrived`
      : null;
  },
};
