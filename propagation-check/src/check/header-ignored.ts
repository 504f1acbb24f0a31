import { isRoot } from '../trace-graph.ts';
import { type HeaderCause, readTracecontext } from './header-cause.ts';

/** The caller's own, valid header arrived, and the called service began a trace of its own. */
export const headerIgnored: HeaderCause = {
  id: 'header-ignored',
  explain: ({ client, server, headers: { received } }) => {
    const reading = readTracecontext(received);
    if (reading?.state !== 'valid' || server === null || !isRoot(server)) return null;
    return client === null || client.spanId === reading.spanId
      ? `a valid traceparent with span id ${reading.spanId} arrived, and SERVER ${server.spanId} is a root`
      : null;
  },
};
