import type { TraceGraph } from '../graph/trace-graph.ts';
import { headerValues } from '../headers/propagation-header.ts';
import { listFormats, readRecordedHeaders } from '../headers/recorded-headers.ts';
import { type Recording, type RecordingGap, recordsHeaders } from '../headers/recording.ts';
import type { Span } from '../span/span.ts';
import type { Draft, Shown } from './draft.ts';
import type { FindingId } from './finding.ts';
import { unsent } from './header-cause.ts';

/**
 * Adds what recorded headers prove although the cause stays undecided, and why it does: that the caller sent its own header, or that the
 * called service recorded headers of other requests but none on these spans.
 */
export function prepareRecordedFacts(
  graph: TraceGraph,
  recordingOf: (span: Span) => Recording,
): (draft: Draft) => Draft {
  if (!recordsHeaders(graph.store)) return (draft) => draft;
  return (draft) => {
    if (draft.candidates === undefined || draft.protocol === 'messaging') return draft;
    const client = findGap(draft, 'client', recordingOf);
    const server = findGap(draft, 'server', recordingOf);
    const isArrived = recordedId(draft, 'server', ({ traceId }) => traceId);
    const facts = [
      ...(isArrived
        ? [
            `${draft.server} recorded a traceparent with the trace id of the call on all of these calls: the header arrived`,
          ]
        : []),
      ...(recordedId(draft, 'client', ({ spanId }) => spanId)
        ? [`${draft.client} recorded a traceparent of its own on all of these calls: it sent the header`]
        : []),
      ...(server === null ? [] : [describeGap(draft.server, server, 'came')]),
      ...(client === null ? [] : [describeGap(draft.client, client, 'went out')]),
    ];
    if (facts.length === 0) return draft;
    const recordingGaps = { ...(client === null ? {} : { client }), ...(server === null ? {} : { server }) };
    const candidates = isArrived
      ? draft.candidates.filter((cause) => !lostBefore.includes(cause))
      : draft.candidates;
    return { ...draft, candidates, recordingGaps, facts: [...(draft.facts ?? []), ...facts] };
  };
}

/** Causes for which no header of the call would have arrived. */
const lostBefore: readonly FindingId[] = [...unsent, 'header-stripped'];

/** Whether this side recorded a traceparent with the id on each call. Truncated values count too: only the caller knew the id. */
function recordedId({ shown }: Draft, side: 'client' | 'server', idOf: (client: Span) => string): boolean {
  const recorded = ({ [side]: span, client }: Shown): boolean =>
    client !== null &&
    headerValues(readRecordedHeaders(span, 'request').fields, 'traceparent').some((value) =>
      value.includes(idOf(client)),
    );
  return shown.length > 0 && shown.every(recorded);
}

function findGap(
  { shown }: Draft,
  side: 'client' | 'server',
  recordingOf: (span: Span) => Recording,
): RecordingGap | null {
  const gaps = new Set(
    shown.map((call) => {
      const span = call[side];
      const { names, hidden } = readRecordedHeaders(span, 'request');
      const isBare = span !== null && listFormats([...names, ...hidden]).size === 0;
      return isBare ? recordingOf(span).gap : null;
    }),
  );
  const [gap = null] = gaps;
  return gaps.size === 1 ? gap : null;
}

function describeGap(service: string | null, gap: RecordingGap, verb: 'came' | 'went out'): string {
  const why =
    gap === 'process'
      ? 'another process of the service made these spans and records no headers (the resource of the spans does not tell the processes apart)'
      : 'the setting is newer than these spans (all spans with headers are later)';
  return `${service} recorded headers on spans of other requests, but not on these. Either none ${verb} with these requests, or ${why}`;
}
