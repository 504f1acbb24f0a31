import { nameAddress, readAddress } from '../calls/address.ts';
import { readOutcome } from '../calls/outcome.ts';
import { none, type TraceGraph } from '../graph/trace-graph.ts';
import type { Draft, Shown } from '../rules/draft.ts';
import { findings } from '../rules/findings.ts';
import type { Scene } from '../rules/scene.ts';
import type { SpanStore } from '../span/span-store.ts';
import { keyFor } from '../util/group-by.ts';
import { examineStore, indexPassed } from '../verdict/check-traces.ts';
import { chooseNewCalls } from '../verdict/choose-calls.ts';
import { describeWhole, type WholeCalls } from './describe-whole.ts';
import { type CallVerdict, uninstrumented } from './edge-counters.ts';

/** One call with the known rows of its sides, the called side first. */
export interface JudgedCall extends CallVerdict {
  readonly rows: readonly [number, ...number[]];
}

export interface BatchJudgement {
  readonly scene: Scene;
  readonly whole: readonly WholeCalls[];
  /** Later spans cannot change these. They include undecided calls: the minority of an edge, which other callers may have made. */
  readonly final: readonly JudgedCall[];
  /** Later spans may change these: they rest on missing spans or on open traces. */
  readonly pending: readonly JudgedCall[];
  /** New rows that are, or may be, the called side of a call. */
  readonly called: readonly number[];
}

/**
 * Judges traces together, and gives a verdict on each call.
 * @param isNew Whether a row was not in an earlier batch. A whole call is returned when a side of it is new.
 */
export function judgeBatch(store: SpanStore, isNew: (row: number) => boolean): BatchJudgement {
  const examination = examineStore(store);
  const { scene, merged } = examination;
  const past = indexPassed(examination);
  const { graph, groups, groupsBetween } = scene;
  const final: JudgedCall[] = [];
  const pending: JudgedCall[] = [];
  const edges = new Map<string, { readonly whole: ReadonlySet<number>; readonly reported: Set<number> }>();
  const edgeOf = (client: string | null, server: string | null) => {
    const key = keyFor(client, server);
    const known = edges.get(key) ?? {
      whole: new Set(groupsBetween(client, server).flatMap(({ servers }) => [...servers])),
      reported: new Set<number>(),
    };
    edges.set(key, known);
    return known;
  };
  for (const { id, severity, client, server, shown } of merged) {
    const { isConclusive, kind } = findings[id];
    const isError = severity === 'error';
    // A finding that is usually an error became a warning: the capture may be cut off there.
    const isDoubted = severity === 'warning' && (kind === 'cause' || kind === 'symptom');
    if (!isError && !isDoubted) continue;
    const { whole, reported } = edgeOf(client, server);
    for (const one of shown) {
      const span = one.server ?? one.client;
      const row = span === null ? none : graph.rowOf(span);
      if (span === null || reported.has(row)) continue;
      const isWhole = whole.has(row);
      if (isWhole && (isDoubted || !isNew(row))) continue;
      reported.add(row);
      // A trace without its root may be incomplete.
      const isKnown = isConclusive || isWhole || graph.isBegun(span.traceId);
      const verdict = isError && isKnown ? 'broken' : 'undecided';
      const list = isConclusive || isWhole ? final : pending;
      const rows: JudgedCall['rows'] =
        one.server === null || one.client === null ? [row] : [row, graph.rowOf(one.client)];
      list.push({ client, server, verdict, cause: id, rows, example: exampleOf(one) });
    }
  }
  for (const call of listSilent(graph, merged)) pending.push(call);
  const chosen = chooseNewCalls(
    scene,
    groups,
    (one, other) => !isNew(one) && !isNew(other),
    ({ client, server }) => edges.get(keyFor(client, server))?.reported ?? new Set(),
  );
  const whole = describeWhole(graph, chosen, (server) => past.has(server));
  return { scene, whole, final, pending, called: listCalled(graph, whole).filter(isNew) };
}

/** Calls that a peer without spans has answered. */
function listSilent(graph: TraceGraph, drafts: readonly Draft[]): readonly JudgedCall[] {
  return drafts.flatMap(({ id, client, shown }) => {
    if (id !== uninstrumented) return [];
    const spans = shown
      .flatMap((one) => one.client ?? [])
      .filter((span) => readOutcome(span) !== 'unreached');
    return spans.map((span): JudgedCall => {
      const example = { traceId: span.traceId, spanIds: [span.spanId] };
      const rows = [graph.rowOf(span)] as const;
      return {
        client,
        server: nameAddress(readAddress(span)),
        verdict: 'undecided',
        cause: uninstrumented,
        rows,
        example,
      };
    });
  });
}

/** The called sides of whole calls, and all SERVER and CONSUMER spans, which may be called sides. */
export function listCalled(graph: TraceGraph, whole: readonly WholeCalls[]): readonly number[] {
  const rows = new Set(whole.flatMap((calls) => calls.rows));
  for (let row = 0; row < graph.store.size; row += 1) if (graph.has(row) && graph.isEntry(row)) rows.add(row);
  return [...rows];
}

function exampleOf({ client, server }: Shown): CallVerdict['example'] {
  const spans = [client, server].flatMap((span) => span ?? []);
  const [first] = spans;
  // From the trace of the caller, because people search there for the missing span.
  return {
    traceId: first?.traceId ?? '',
    spanIds: spans.filter(({ traceId }) => traceId === first?.traceId).map(({ spanId }) => spanId),
  };
}
