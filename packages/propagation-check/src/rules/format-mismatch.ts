import { isRoot } from '../graph/trace-graph.ts';
import { defineFinding } from './define-finding.ts';
import { type HeaderCause, lacks, nameFormats } from './header-cause.ts';

export const finding = defineFinding('format-mismatch', {
  kind: 'cause',
  isConclusive: true,
  shows: 'the same; B received only another format (`b3`, `x-b3-*`, `uber-trace-id`, `x-amzn-trace-id`)',
  title: 'The two services speak different formats',
  why: 'The caller sends one propagation format and the called service reads another.',
  fix: 'Give both services the same OTEL_PROPAGATORS, for example tracecontext,baggage,b3 while you migrate.',
});

/** Only another format arrived, and the called service began a trace of its own. */
export const formatMismatch: HeaderCause = {
  finding,
  needs: {
    // A hop before the tap may have dropped `traceparent`, one behind it the header that arrived here.
    sides: ['caller', 'callee'],
    excludes: ['header-malformed', 'header-duplicated', 'header-ignored', 'header-rewritten'],
    // Load balancers add headers of their own.
    doubts: ['header-not-sent'],
  },
  explain: ({ server, headers: { sent, received } }) => {
    if (received === null || received.contexts.length === 0 || !lacks(received, 'tracecontext')) return null;
    // Something on the way may have taken a `traceparent` that nobody recorded.
    if (sent === null || !lacks(sent, 'tracecontext')) return null;
    return server === null || isRoot(server)
      ? `only ${nameFormats(received)} arrived, which the called service did not read`
      : null;
  },
};
