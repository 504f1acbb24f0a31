import { isEntry, isOutgoing } from '../calls/edge.ts';
import { bounds } from '../pairing/bounds.ts';
import { takeFitting } from '../pairing/limit-work.ts';
import { isParentRemote, type Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import { defineFinding } from './define-finding.ts';
import { type Draft, protocolOf } from './draft.ts';
import { gate, rule } from './rule.ts';
import type { Scene } from './scene.ts';

export const finding = defineFinding('span-lost-in-service', {
  kind: 'warning',
  isConclusive: false,
  cut: 'above call',
  shows: 'a span has a parent in its own service that is not in the data',
  title: 'A span inside one service never arrived',
  why: 'A span has a parent in its own service that is not in the data: telemetry is lost, propagation is whole.',
  fix: 'Let every span end, flush before exit, and export all spans of the process; a parent that is still open arrives later.',
});

/** Spans of one service whose parent is also of that service and missing. */
interface LostInService {
  readonly spans: Group<Span>;
  readonly isFollowed: boolean;
}

/**
 * Spans whose parent is of their own service and missing, although the service delivered spans that ended later. The edges are whole. Spans
 * under a missing SERVER span of a call belong to `lostServerSpans`.
 */
export const spansLostInServices = rule<LostInService>({
  finding,
  measure: (scene, open) => {
    const openThen = scene.graph.indexTraces(open.orphans, 0n);
    const local = open.orphans
      .filter((span) => isParentLocal(scene, span, openThen))
      .map((span) => ({ span, isFollowed: isFollowed(scene, span) }));
    return groupBy(local, ({ span, isFollowed }) => keyFor(span.serviceName, String(isFollowed))).map(
      ([first, ...others]) => ({
        spans: [first.span, ...others.map(({ span }) => span)],
        isFollowed: first.isFollowed,
      }),
    );
  },
  gates: [
    // Otherwise the parent may not be exported yet.
    gate(
      'the service delivered spans that ended before and after',
      ({ isFollowed }) => isFollowed,
      ({ spans }) => `the first or last of ${spans[0].serviceName}, ${countOf(spans.length, 'span')}`,
    ),
  ],
  looseEnds: ({ spans }) => spans,
  report: ({ spans }) =>
    finding.report({
      isLikely: spans.some((span) => isParentRemote(span) === null),
      client: spans[0].serviceName,
      server: spans[0].serviceName,
      protocol: protocolOf(spans[0]),
      shown: spans.map((span) => ({
        client: null,
        server: span,
        says: `${span.kind} "${span.name}" hangs under ${span.parentSpanId} of its own service, which is not in the data`,
      })),
    }),
});

/**
 * Decided by span flags. Without flags, a call that was made during a request of the service has a parent in the service.
 * @param openThen The spans of the trace that were open when the span started.
 */
function isParentLocal(scene: Scene, span: Span, openThen: (span: Span) => Iterable<Span>): boolean {
  const isRemote = isParentRemote(span);
  if (isRemote !== null) return !isRemote;
  if (!isOutgoing(span) || !scene.graph.isBegun(span.traceId)) return false;
  const isRequest = (around: Span): boolean =>
    isEntry(around) &&
    around.serviceName === span.serviceName &&
    span.endTimeUnixNano <= around.endTimeUnixNano;
  return takeFitting(openThen(span), bounds.looks, 1, isRequest).length > 0;
}

function isFollowed(scene: Scene, { serviceName, endTimeUnixNano }: Span): boolean {
  const coverage = scene.coverage(serviceName);
  return (
    coverage !== null &&
    endTimeUnixNano < coverage.to &&
    (scene.graph.traceCount === 1 || coverage.from < endTimeUnixNano)
  );
}

/**
 * Whether the finding says that spans of the called service are in traces of the caller. This proves an expected edge without a visible
 * call.
 */
export function provesArrival({ id, client, server }: Draft): boolean {
  return id === finding.id && client !== server;
}
