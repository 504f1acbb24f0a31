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

/** A span of the data that the answer of a call names. */
export interface Answer {
  /** Of the span. */
  readonly row: number;
  /** It began while the call was open. */
  readonly isInTime: boolean;
  /** It is of another trace, and of the request of another call: a cache gave its answer to this one. */
  readonly isOfAnother: boolean;
}

/** Tells of a call which spans its answer names, as its service and taps have recorded it. */
export type AnswerLookup = (client: Span) => readonly Answer[];

/** Whether a header may name a side of a call: spans record headers, or the answer that a tap saw names a span. */
export function mayNameSides({ store }: TraceGraph, wire: HeaderEvidence['wire']): boolean {
  return recordsHeaders(store) || wire.some(({ answered }) => answered !== null && answered.span !== null);
}

/**
 * Prepares the look-up for the spans that are checked. A span that an answer names is of another call where it began while this one was
 * not open, where another call is its parent or linked, or where the answers of several traces name it: one request may be sent for
 * several callers.
 * @param clients That nobody continued, and that went on after a redirect: the calls whose answer may be another's.
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
    // A gateway's only span is both sides, and records the answer that names it.
    return [...rows].filter((row) => row !== none && row !== graph.rowOf(client));
  });
}

/** The rows that the answers of several traces name. Layers of one call have one answer, and one trace. */
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

/** Whether another call is the parent of a span, or linked: of a like request, open when the span began, with no answer that names another. */
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

/** Whether the trace of another call may have begun with the request of this one: gateways hand on the answers that they get. */
function mayCause(graph: TraceGraph, client: Span, call: Span, tolerances: Tolerances): boolean {
  const top = graph.view(graph.topOf(graph.rowOf(call)));
  return (
    top.kind === 'SERVER' && startsDuring(top, client, tolerances) && compareRequests(client, top) !== 'no'
  );
}
