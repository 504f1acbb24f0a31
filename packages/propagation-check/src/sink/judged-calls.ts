import { findEdges } from '../calls/edge.ts';
import { none, TraceGraph } from '../graph/trace-graph.ts';
import type { SpanStore } from '../span/span-store.ts';
import { mapBy } from '../util/group-by.ts';
import { type CallVerdict, judgedApart } from './edge-counters.ts';
import type { CollectedTraces, HeldTrace, PendingCall, Place } from './held-traces.ts';
import { IdMemory } from './id-memory.ts';
import { judgeBatch, listCalled, listWholeCalls, type WholeCalls } from './judge-batch.ts';

/** Called once for each call. */
export type CountCalls = (call: CallVerdict, calls: number) => void;

/** Judges the calls of traces, and counts each once. */
export class JudgedCalls {
  readonly #count: CountCalls;
  /** Distinguishes late spans of a trace from an export that is sent again. */
  readonly #called: IdMemory;

  /** @param mostIds Of calls that were judged. */
  constructor(count: CountCalls, mostIds: number) {
    this.#count = count;
    this.#called = new IdMemory(mostIds);
  }

  /**
   * Counts what later spans cannot change, and leaves the rest to `pending` of the traces.
   * @returns Traces of broken calls that were counted. The two traces of a call leave the window together: if one stayed, the engine would
   * report the other side of its call as missing.
   */
  judge({ traces, store, placeOf, isNew }: CollectedTraces): ReadonlySet<HeldTrace> {
    const { whole, final, pending, called } = judgeBatch(store, isNew);
    this.#countWhole(whole);
    for (const row of called) this.#called.add(...callWords(store, row));
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
    const isFirst = (row: number): boolean => !this.#called.has(...callWords(store, row));
    const whole = listWholeCalls(graph, findEdges(graph).groups, isFirst);
    this.#countWhole(whole);
    const called = listCalled(graph, whole);
    const first = called.filter(isFirst);
    for (const row of first) {
      this.#called.add(...callWords(store, row));
      if (!graph.isEntry(row) || graph.parents[row] !== none || graph.isRoot(row)) continue;
      const { traceId, spanId } = graph.view(row);
      const example = { traceId, spanIds: [spanId] };
      const server = graph.serviceOf(row);
      this.#count({ client: null, server, verdict: 'undecided', cause: judgedApart, example }, 1);
    }
    return called.length - first.length;
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

/** Identifies the called side of a call, by its trace and its span. */
function callWords({ traceIds, spanIds }: SpanStore, row: number): readonly [number, number] {
  const mix = (word: number): number =>
    (Math.imul(traceIds[row * 4 + 2 + word] ?? 0, mixFactor) ^ (spanIds[row * 2 + word] ?? 0)) >>> 0;
  return [mix(0), mix(1)];
}

/** Odd, so that no bit is lost: trace ids may repeat the id of their root. */
const mixFactor = 0x9e37_79b1;
