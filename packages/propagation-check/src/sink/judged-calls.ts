import { findEdges } from '../calls/edge.ts';
import { TraceGraph } from '../graph/trace-graph.ts';
import { mapBy } from '../util/group-by.ts';
import { chooseNewCalls } from '../verdict/choose-calls.ts';
import { CalledMemory } from './called-memory.ts';
import { describeWhole, type WholeCalls } from './describe-whole.ts';
import { type CallVerdict, judgedApart } from './edge-counters.ts';
import type { CollectedTraces, HeldTrace, PendingCall, Place } from './held-traces.ts';
import { judgeBatch, listCalled } from './judge-batch.ts';

export type CountCalls = (call: CallVerdict, calls: number) => void;

/** Judges the calls of traces, and counts each call once. */
export class JudgedCalls {
  readonly #count: CountCalls;
  /** Tells late spans of a trace from a repeated export. */
  readonly #called: CalledMemory;

  /** @param mostIds How many judged calls are remembered. */
  constructor(count: CountCalls, mostIds: number) {
    this.#count = count;
    this.#called = new CalledMemory(mostIds);
  }

  /**
   * Counts the calls that later spans cannot change, and keeps the others in `pending` of their traces.
   * @returns The traces of broken calls that were counted. Both traces of such a call must leave the window together: the engine would report
   * the other side as missing if one stayed.
   */
  judge({ traces, store, placeOf, isNew }: CollectedTraces): ReadonlySet<HeldTrace> {
    const { scene, whole, final, pending, called } = judgeBatch(store, isNew);
    this.#countWhole(whole);
    for (const row of called) this.#called.add(scene, row);
    const settled = new Set<HeldTrace>();
    for (const call of final) {
      const places = call.rows.map(placeOf);
      if (places.some(isCounted)) continue;
      for (const { trace, index } of places) {
        trace.counted ??= new Set();
        trace.counted.add(index);
        if (call.verdict === 'broken') settled.add(trace);
      }
      this.#count(call, 1);
    }
    const found = pending
      .map((call): PendingCall => ({ call, places: call.rows.map(placeOf) }))
      .filter(({ places }) => !places.some(isCounted));
    keepPending(traces, found);
    return settled;
  }

  /**
   * Judges late spans of traces that were judged before. Their trace ids prove that the context arrived, so none of their calls is broken.
   * @returns How many calls had been judged before: their export was repeated.
   */
  judgeRests({ store }: CollectedTraces): number {
    const graph = new TraceGraph(store);
    const { groups, facts } = findEdges(graph);
    const known = { graph, facts };
    const isFirst = (row: number): boolean => !this.#called.has(known, row);
    const chosen = chooseNewCalls(known, groups, (_, server) => !isFirst(server));
    const whole = describeWhole(graph, chosen);
    this.#countWhole(whole);
    const called = listCalled(graph, whole);
    const first = called.filter(isFirst);
    let counted = first.length;
    for (const row of first) {
      const isApart = graph.isEntry(row) && graph.isOrphan(row);
      const isCounted = isApart && this.#called.hasCallOf(known, row);
      this.#called.add(known, row);
      if (isCounted) counted -= 1;
      else if (isApart) this.#countApart(graph, row);
    }
    return called.length - counted;
  }

  #countApart(graph: TraceGraph, row: number): void {
    const { traceId, spanId } = graph.view(row);
    const example = { traceId, spanIds: [spanId] };
    const server = graph.serviceOf(row);
    this.#count({ client: null, server, verdict: 'undecided', cause: judgedApart, example }, 1);
  }

  /** Counts the pending calls of a trace that leaves the window. @param isSure Whether missing spans had enough time to arrive. */
  countPending({ pending }: HeldTrace, isSure: boolean): void {
    for (const { call } of pending) this.#count(isSure ? call : { ...call, verdict: 'undecided' }, 1);
  }

  #countWhole(whole: readonly WholeCalls[]): void {
    for (const { rows, ...calls } of whole) this.#count(calls, rows.length);
  }
}

/** Updates the pending calls of traces. @param found The pending calls of the last batch. */
function keepPending(traces: readonly HeldTrace[], found: readonly PendingCall[]): void {
  const reported = new Set(found.flatMap(({ places }) => places.map(nameOf)));
  const pendingOf = mapBy(found, ({ places: [first] }) => first?.trace);
  for (const trace of traces) {
    const isGrown = trace.judgedRows < trace.rows.length;
    // Without new spans the earlier finding stands, although the traces with which the trace was compared may have left the window.
    const kept = isGrown
      ? []
      : trace.pending.filter(
          ({ places }) => !places.some((place) => isCounted(place) || reported.has(nameOf(place))),
        );
    trace.pending = [...kept, ...(pendingOf.get(trace) ?? [])];
  }
}

function isCounted({ trace, index }: Place): boolean {
  return trace.counted?.has(index) === true;
}

function nameOf({ trace, index }: Place): string {
  return `${trace.id} ${index}`;
}
