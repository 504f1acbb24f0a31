import { none, type TraceGraph } from '../graph/trace-graph.ts';
import type { AnsweredSpan } from '../headers/evidence.ts';
import { readAnsweredContext } from '../headers/read-answered-context.ts';
import { readRecordedHeaders } from '../headers/recorded-headers.ts';
import { recordsHeaders } from '../headers/recording.ts';
import type { HeaderEvidence } from '../headers/wire.ts';
import type { Span } from '../span/span.ts';
import { rememberOf } from '../util/remember.ts';
import { startsDuring, type Tolerances } from './pair.ts';
import { keyOfIds } from './pair-by-ids.ts';

/** A service whose answer a cache gave to another call. */
export interface CachedService {
  readonly service: string | null;
}

/**
 * Tells of a call whether a cache answered it, and for whom: the answer names a span of another trace that did not begin while the call was
 * open. No request of such a call reached the called service, but for one in the background that fills the cache anew.
 */
export function lookUpCachedAnswers(
  graph: TraceGraph,
  { wire }: Pick<HeaderEvidence, 'wire'>,
  tolerances: Tolerances,
): (client: Span) => CachedService | null {
  if (wire.length === 0 && !recordsHeaders(graph.store)) return () => null;
  const seen = new Map<string, AnsweredSpan>();
  for (const { sent, answered } of wire) {
    for (const reading of sent.contexts)
      if (reading.state === 'valid' && answered?.span) seen.set(keyOfIds(reading), answered.span);
  }
  return rememberOf((client: Span) => {
    const recorded = readAnsweredContext(readRecordedHeaders(client, 'response').fields).span;
    const answer = recorded ?? seen.get(keyOfIds(client));
    if (answer === undefined || answer.traceId === client.traceId) return null;
    const row = graph.findRow(answer.traceId, answer.spanId);
    if (row === none || startsDuring(graph.view(row), client, tolerances)) return null;
    return { service: graph.serviceOf(row) };
  });
}
