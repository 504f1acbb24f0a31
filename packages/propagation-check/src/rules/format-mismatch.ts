import { isRoot } from '../graph/trace-graph.ts';
import type { SeenContext } from '../headers/captured.ts';
import type { TraceContextReading } from '../headers/evidence.ts';
import { headerValues, idHeaders } from '../headers/propagation-header.ts';
import type { CallHeaders } from '../headers/wire.ts';
import type { Span } from '../span/span.ts';
import { defineFinding } from './define-finding.ts';
import type { Shown } from './draft.ts';
import { arrived, type HeaderCause, lacks, nameFormats, readTracecontext } from './header-cause.ts';

export const finding = defineFinding('format-mismatch', {
  kind: 'cause',
  isConclusive: true,
  shows: 'the same; B received only another format (`b3`, `x-b3-*`, `uber-trace-id`, `x-amzn-trace-id`)',
  title: 'The two services use different propagation formats',
  why: 'The caller sends one propagation format and the called service reads another.',
  fix: 'Give both services the same OTEL_PROPAGATORS, for example tracecontext,baggage,b3 while you migrate.',
});

/** Only headers of another format arrived, and the called service began a trace of its own. */
export const formatMismatch: HeaderCause = {
  finding,
  needs: {
    // A hop before the tap may have dropped `traceparent`, and a hop behind it the header that arrived here.
    sides: ['caller', 'callee'],
    excludes: arrived,
    // Load balancers add headers of their own formats.
    unlikely: ['header-not-sent'],
  },
  explain: ({ server, headers: { sent, received } }) => {
    if (received === null || received.contexts.length === 0 || !lacks(received, 'tracecontext')) return null;
    // A hop may have removed a `traceparent` that was not recorded.
    if (sent === null || !lacks(sent, 'tracecontext')) return null;
    return server === null || isRoot(server)
      ? `only ${nameFormats(received)} arrived, which the called service did not read`
      : null;
  },
};

/** A root that received the context of its call in a format other than `traceparent`. */
interface OtherFormat {
  readonly says: string;
  /** No record shows a `traceparent` beside it. A redacted `traceparent` counts as shown. */
  readonly isAlone: boolean;
}

/**
 * Proved by the ids of the call in a header of another format. Whether `traceparent` arrived too is open if nobody recorded it, and so is
 * its value if the record hides it. Null if no record shows the ids.
 */
export function readOtherFormat(
  { client, server }: Shown,
  { sent, received }: CallHeaders,
): OtherFormat | null {
  if (client === null || server === null || received === null || !isRoot(server)) return null;
  if (readTracecontext(sent) !== null || readTracecontext(received) !== null) return null;
  const came = received.contexts.filter((reading) => isOfCall(reading, received, client));
  if (came.length === 0) return null;
  const names = came.map(({ format }) => idHeaders[format]).join(', ');
  const isAlone = ![sent, received].some((context) => context?.unread?.has('tracecontext'));
  const beside = lacks(received, 'tracecontext')
    ? 'no traceparent'
    : isAlone
      ? 'no record of a traceparent'
      : 'a traceparent whose value no record shows';
  return {
    says: `${names} brought the ids of the call to the called service, which did not read it, with ${beside}`,
    isAlone,
  };
}

/** Some formats encode the ids in ways that are not parsed; some of their headers still contain the ids as text. */
function isOfCall(
  reading: TraceContextReading,
  { headers }: SeenContext,
  { traceId, spanId }: Span,
): boolean {
  if (reading.state === 'valid' && reading.traceId !== null) return traceId.endsWith(reading.traceId);
  return headerValues(headers, idHeaders[reading.format]).some((value) => {
    const lower = value.toLowerCase();
    return lower.includes(traceId) || lower.includes(spanId);
  });
}
