import { keyOf, none, type TraceGraph } from '../graph/trace-graph.ts';
import type { AnsweredSpan } from '../headers/evidence.ts';
import { readAnsweredContext } from '../headers/read-answered-context.ts';
import { readRecordedHeaders } from '../headers/recorded-headers.ts';
import { recordsHeaders } from '../headers/recording.ts';
import type { HeaderEvidence } from '../headers/wire.ts';
import type { Span } from '../span/span.ts';
import { rememberOf } from '../util/remember.ts';
import { compareRequests } from './compare-requests.ts';
import { startsDuring, type Tolerances } from './times.ts';

/** A span in the capture that the answer of a call names. */
export interface Answer {
  /** The row of the span. */
  readonly row: number;
  /** The span began while the call was open. */
  readonly isInTime: boolean;
  /** The span is in another trace and belongs to another call's request: a cache returned that request's answer to this call. */
  readonly isOfAnother: boolean;
}

/** The spans that the answer of a call names, as its service or taps recorded it. */
export type AnswerLookup = (client: Span) => readonly Answer[];

/** Whether headers may name a side of a call: spans record headers, or a tap saw an answer that names a span. */
export function mayNameSides({ store }: TraceGraph, wire: HeaderEvidence['wire']): boolean {
  return recordsHeaders(store) || wire.some(({ answered }) => answered !== null && answered.span !== null);
}

/**
 * Prepares the look-up of answers. A named span belongs to another call if it began while this call was not open, if another call is its
 * parent or is linked, or if answers in several traces name it: one request may be sent on behalf of several callers.
 * @param clients Calls that nobody continued and calls that followed a redirect: their answer may be another call's.
 */
export function lookUpAnswers(
  graph: TraceGraph,
  clients: readonly Span[],
  { wire }: Pick<HeaderEvidence, 'wire'>,
  tolerances: Tolerances,
): AnswerLookup {
  if (!mayNameSides(graph, wire)) return () => [];
  const rowsOf = readAnswers(graph, wire);
  let shared: ReadonlySet<number> | null = null;
  const isShared = (row: number): boolean => {
    shared ??= listShared(graph, clients, rowsOf, tolerances);
    return shared.has(row);
  };
  return rememberOf((client: Span) =>
    rowsOf(client).map((row) => {
      const isInTime = startsDuring(graph.view(row), client, tolerances);
      const isOfAnother =
        !graph.areOfOneTrace(graph.view(row), client) &&
        (!isInTime || isShared(row) || isConnected(graph, row, client, rowsOf, tolerances));
      return { row, isInTime, isOfAnother };
    }),
  );
}

/** Reads which rows the answer of a call names. */
function readAnswers(graph: TraceGraph, wire: HeaderEvidence['wire']): (client: Span) => readonly number[] {
  const seen = new Map<string, AnsweredSpan[]>();
  for (const { sent, answered } of wire) {
    const span = answered?.span;
    if (!span) continue;
    for (const reading of sent.contexts) {
      if (reading.state !== 'valid') continue;
      const key = keyOf(reading);
      const known = seen.get(key);
      if (known === undefined) seen.set(key, [span]);
      else known.push(span);
    }
  }
  return rememberOf((client: Span) => {
    const recorded = readAnsweredContext(readRecordedHeaders(client, 'response').fields).span;
    const answers = [recorded ?? [], seen.get(keyOf(client)) ?? []].flat();
    const rows = new Set(answers.map(({ traceId, spanId }) => graph.findRow(traceId, spanId)));
    // A gateway's only span is both sides of a call and records the answer that names it.
    return [...rows].filter((row) => row !== none && row !== graph.rowOf(client));
  });
}

/** The rows that answers in several traces name. Layers of one call share the answer and the trace. */
function listShared(
  graph: TraceGraph,
  clients: readonly Span[],
  rowsOf: (client: Span) => readonly number[],
  tolerances: Tolerances,
): ReadonlySet<number> {
  const first = new Map<number, Span>();
  const shared = new Set<number>();
  for (const client of clients) {
    for (const row of rowsOf(client)) {
      const other = first.get(row) ?? client;
      first.set(row, other);
      const areApart =
        !graph.areOfOneTrace(other, client) &&
        !mayCause(graph, client, other, tolerances) &&
        !mayCause(graph, other, client, tolerances);
      if (areApart) shared.add(row);
    }
  }
  return shared;
}

/**
 * Whether another call is the parent of the span or linked to it: a call of a similar request that was open when the span began and whose
 * answer names no other span.
 */
function isConnected(
  graph: TraceGraph,
  row: number,
  client: Span,
  rowsOf: (client: Span) => readonly number[],
  tolerances: Tolerances,
): boolean {
  const server = graph.view(row);
  return [graph.parents[row] ?? none, ...graph.linkTargetsOf(row)]
    .flatMap((above) => (above === none ? [] : graph.view(above)))
    .some((caller) => {
      const named = rowsOf(caller);
      return (
        caller.kind === 'CLIENT' &&
        caller !== client &&
        startsDuring(server, caller, tolerances) &&
        compareRequests(caller, server) !== 'no' &&
        (named.length === 0 || named.includes(row)) &&
        !mayCause(graph, client, caller, tolerances)
      );
    });
}

/** Whether the request of `client` may have caused the trace of another call: gateways pass on the answers that they get. */
function mayCause(graph: TraceGraph, client: Span, call: Span, tolerances: Tolerances): boolean {
  const top = graph.view(graph.topOf(graph.rowOf(call)));
  return (
    top.kind === 'SERVER' && startsDuring(top, client, tolerances) && compareRequests(client, top) !== 'no'
  );
}
