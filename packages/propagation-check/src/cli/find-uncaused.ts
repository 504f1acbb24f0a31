import { isHealthProbe } from '../calls/call-facts.ts';
import { isEntry } from '../calls/edge.ts';
import { listReached } from '../collect/list-reached.ts';
import { isRoot } from '../graph/trace-graph.ts';
import type { Span } from '../span/span.ts';

/**
 * The entries that began traces while a request of this tool was open, in services that it did not call: a service whose
 * client is not instrumented may have called them, or anybody else.
 * @param begun Traces that are known to be the requests' own.
 */
export function findUncaused(
  spans: readonly Span[],
  requests: readonly Span[],
  begun: ReadonlySet<string>,
): readonly Span[] {
  const reached = listReached(spans, requests);
  return spans.filter(
    (span) =>
      isEntry(span) &&
      isRoot(span) &&
      span.links.length === 0 &&
      !begun.has(span.traceId) &&
      !reached.has(span.serviceName ?? '') &&
      !isHealthProbe(span) &&
      requests.some(
        (request) =>
          span.startTimeUnixNano >= request.startTimeUnixNano &&
          span.startTimeUnixNano <= request.endTimeUnixNano,
      ),
  );
}
