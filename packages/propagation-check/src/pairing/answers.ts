import { none, type TraceGraph } from '../graph/trace-graph.ts';
import type { AnsweredSpan } from '../headers/evidence.ts';
import { readAnsweredContext } from '../headers/read-answered-context.ts';
import { readRecordedHeaders } from '../headers/recorded-headers.ts';
import { recordsHeaders } from '../headers/recording.ts';
import type { HeaderEvidence } from '../headers/wire.ts';
import type { Span } from '../span/span.ts';
import { rememberOf } from '../util/remember.ts';
import { startsDuring, type Tolerances } from './pair.ts';

/** A span of the data that the answer of a call names. */
export interface Answer {
  /** Of the span. */
  readonly row: number;
  /** It began while the call was open. */
  readonly isInTime: boolean;
  /** It is of another trace, and not of this call: a cache gave its answer to the call. */
  readonly isOfAnother: boolean;
}

/** Tells of a call which spans its answer names, as its service and taps have recorded it. */
export type AnswerLookup = (client: Span) => readonly Answer[];

/** Prepares the look-up for the spans that are checked. */
export function lookUpAnswers(
  graph: TraceGraph,
  { wire }: Pick<HeaderEvidence, 'wire'>,
  tolerances: Tolerances,
): AnswerLookup {
  if (wire.length === 0 && !recordsHeaders(graph.store)) return () => [];
  const seen = new Map<string, readonly AnsweredSpan[]>();
  for (const { sent, answered } of wire) {
    for (const reading of sent.contexts) {
      if (reading.state !== 'valid' || !answered?.span) continue;
      const key = keyOfIds(reading);
      seen.set(key, [...(seen.get(key) ?? []), answered.span]);
    }
  }
  return rememberOf((client: Span) => {
    const recorded = readAnsweredContext(readRecordedHeaders(client, 'response').fields).span;
    return [recorded ?? [], seen.get(keyOfIds(client)) ?? []].flat().flatMap((answer): readonly Answer[] => {
      const row = graph.findRow(answer.traceId, answer.spanId);
      // A gateway's only span is both sides, and records the answer that names it.
      if (row === none || row === graph.rowOf(client)) return [];
      const isInTime = startsDuring(graph.view(row), client, tolerances);
      return [{ row, isInTime, isOfAnother: answer.traceId !== client.traceId && !isInTime }];
    });
  });
}

/** A key for a span. */
export function keyOfIds({
  traceId,
  spanId,
}: {
  readonly traceId: string | null;
  readonly spanId: string | null;
}): string {
  return `${traceId}:${spanId}`;
}
