import { isEntry, isOutgoing } from '../calls/edge.ts';
import { isParentRemote, type Span } from '../span/span.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import { type Check, protocolOf, type Scene } from './check.ts';
import { defineFinding } from './define-finding.ts';

export const finding = defineFinding('span-lost-in-service', {
  kind: 'warning',
  isConclusive: false,
  shows: 'a span hangs under a parent of its own service that is nowhere',
  title: 'A span inside one service never arrived',
  why: 'A span names a parent of its own service that is not in the data: telemetry is lost there, propagation is whole.',
  fix: 'Let every span end, flush before exit, and export all spans of the process; a parent that is still open arrives later.',
});

/**
 * Spans whose parent is of their own service and nowhere, although the service delivered spans that ended later. The edges are whole:
 * what hangs under a missing SERVER span of a call is explained by `lostServerSpans`.
 */
export const findSpansLostInServices: Check = (scene, open) => {
  const lost = open.orphans.filter((span) => isParentLocal(scene, span) && isFollowed(scene, span));
  return groupBy(lost, ({ serviceName }) => keyFor(serviceName)).map((ofService) => {
    const [first] = ofService;
    return finding.report({
      ...(ofService.some((span) => isParentRemote(span) === null) ? { isLikely: true } : {}),
      client: first.serviceName,
      server: first.serviceName,
      protocol: protocolOf(first),
      shown: ofService.map((span) => ({
        client: null,
        server: span,
        says: `${span.kind} "${span.name}" hangs under ${span.parentSpanId} of its own service, which is nowhere`,
      })),
    });
  });
};

/** By its flags; without them a call that was made during a request of the service hangs under a span of the service. */
function isParentLocal(scene: Scene, span: Span): boolean {
  const isRemote = isParentRemote(span);
  if (isRemote !== null) return !isRemote;
  return isOutgoing(span) && findRequest(scene, span) !== undefined;
}

/** The request of its service and trace that was open around a span. */
function findRequest({ graph, entriesOf }: Scene, span: Span): Span | undefined {
  if (!graph.isBegun(span.traceId)) return undefined;
  return entriesOf(span.serviceName).find(
    (entry) =>
      isEntry(entry) &&
      entry.traceId === span.traceId &&
      entry.startTimeUnixNano <= span.startTimeUnixNano &&
      span.endTimeUnixNano <= entry.endTimeUnixNano,
  );
}

/** Whether the service delivered spans from before and after: otherwise the parent may be on its way. */
function isFollowed(scene: Scene, { serviceName, endTimeUnixNano }: Span): boolean {
  const coverage = scene.coverage(serviceName);
  return (
    coverage !== null &&
    endTimeUnixNano < coverage.to &&
    (scene.graph.traceCount === 1 || coverage.from < endTimeUnixNano)
  );
}
