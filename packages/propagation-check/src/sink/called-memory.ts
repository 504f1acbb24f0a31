import { readMessageId } from '../calls/messaging-facts.ts';
import type { GraphFacts } from '../rules/scene.ts';
import { kindNumber } from '../span/span.ts';
import type { SpanStore, Words } from '../span/span-store.ts';
import { keyFor } from '../util/group-by.ts';
import { IdMemory } from './id-memory.ts';

/** Remembers called spans that were judged, and the messages that they received. */
export class CalledMemory {
  readonly #ids: IdMemory;

  /** @param mostIds How many calls are remembered. */
  constructor(mostIds: number) {
    this.#ids = new IdMemory(mostIds);
  }

  has({ graph }: GraphFacts, row: number): boolean {
    return this.#ids.has(...mixIds(graph.store, graph.store.spanIds, row, graph.serviceOf(row) ?? ''));
  }

  /** Whether the span belongs to a call that was judged: its parent is a called span of its service, or it receives the same message again. */
  hasCallOf(known: GraphFacts, row: number): boolean {
    const { store } = known.graph;
    const service = known.graph.serviceOf(row);
    // A span that receives a batch of messages has no message id.
    const names = [service ?? '', nameMessage(known, row), keyFor(service, null)];
    return names.some((name) => this.#ids.has(...mixIds(store, store.parentIds, row, name)));
  }

  add(known: GraphFacts, row: number): void {
    const { store } = known.graph;
    this.#ids.add(...mixIds(store, store.spanIds, row, known.graph.serviceOf(row) ?? ''));
    if (store.kinds[row] === kindNumber.consumer && !known.graph.isRoot(row))
      this.#ids.add(...mixIds(store, store.parentIds, row, nameMessage(known, row)));
  }
}

/** The service and the message id. With the id of the PRODUCER span they identify a received message. */
function nameMessage({ graph, facts }: GraphFacts, row: number): string {
  return keyFor(graph.serviceOf(row), readMessageId(facts.at(row)));
}

function mixIds({ traceIds }: SpanStore, ids: Words, row: number, text: string): readonly [number, number] {
  const mix = (word: number): number =>
    Math.imul(traceIds[row * 4 + 2 + word] ?? 0, mixFactor) ^ (ids[row * 2 + word] ?? 0);
  return [(mix(0) ^ hashText(text)) >>> 0, mix(1) >>> 0];
}

/** Odd, so that multiplication loses no bit. Without it a trace id and an equal span id of its root would cancel out. */
const mixFactor = 0x9e37_79b1;

/** Source: FNV-1a. */
function hashText(text: string): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193);
  return hash;
}
