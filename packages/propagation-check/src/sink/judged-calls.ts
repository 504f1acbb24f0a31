import { findEdges } from '../calls/edge.ts';
import { TraceGraph } from '../graph/trace-graph.ts';
import { mapBy } from '../util/group-by.ts';
import { chooseNewCalls } from '../verdict/choose-calls.ts';
import { CalledMemory } from './called-memory.ts';
import { describeWhole, type WholeCalls } from './describe-whole.ts';
import { type CallVerdict, judgedApart } from './edge-counters.ts';
import type { CollectedTraces, HeldTrace, PendingCall, Place } from './held-traces.ts';
import { judgeBatch, listCalled } from './judge-batch.ts';

/** Called once for each call. */
export type CountCalls = (call: CallVerdict, calls: number) => void;

/** Judges the calls of traces, and counts each once. */
export class JudgedCalls {
  readonly #count: CountCalls;
  /** Distinguishes late spans of a trace from an export that is sent again. */
  readonly #called: CalledMemory;

  /** @param mostIds Of calls that were judged. */
  constructor(count: CountCalls, mostIds: number) {
    this.#count = count;
    this.#called = new CalledMemory(mostIds);
  }

  /**
   * Counts what later spans cannot change, and leaves the rest to `pending` of the traces.
   * @returns Traces of broken calls that were counted. The two traces of a call leave the window together: if one stayed, the engine would
   * report the other side of its call as missing.
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
   * The rest of traces that were judged: their ids prove that the context arrived, so that nothing in them is broken.
   * @returns How many calls were judged before: they are of an export that was sent again.
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

  /** Counts the pending calls of a trace that leaves. @param isSure Whether missing spans had enough time to arrive. */
  countPending({ pending }: HeldTrace, isSure: boolean): void {
    for (const { call } of pending) this.#count(isSure ? call : { ...call, verdict: 'undecided' }, 1);
  }

  #countWhole(whole: readonly WholeCalls[]): void {
    for (const { rows, ...calls } of whole) this.#count(calls, rows.length);
  }
}

/** Updates the pending calls of traces. @param found The calls that the last batch left pending. */
function keepPending(traces: readonly HeldTrace[], found: readonly PendingCall[]): void {
  const told = new Set(found.flatMap(({ places }) => places.map(nameOf)));
  const pendingOf = mapBy(found, ({ places: [first] }) => first?.trace);
  for (const trace of traces) {
    const isGrown = trace.judgedRows < trace.rows.length;
    // The trace has no new spans, so its earlier finding stands, although the traces that it was compared with may have left the window.
    const kept = isGrown
      ? []
      : trace.pending.filter(
          ({ places }) => !places.some((place) => isCounted(place) || told.has(nameOf(place))),
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
