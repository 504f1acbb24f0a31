import { readMessageId } from '../calls/messaging-facts.ts';
import type { GraphFacts } from '../rules/scene.ts';
import { kindNumber } from '../span/span.ts';
import type { SpanStore, Words } from '../span/span-store.ts';
import { keyFor } from '../util/group-by.ts';
import { IdMemory } from './id-memory.ts';

/** Remembers the called spans that were judged, and their messages. */
export class CalledMemory {
  readonly #ids: IdMemory;

  /** @param mostIds Of calls that were judged. */
  constructor(mostIds: number) {
    this.#ids = new IdMemory(mostIds);
  }

  has({ graph }: GraphFacts, row: number): boolean {
    return this.#ids.has(...mixIds(graph.store, graph.store.spanIds, row, graph.serviceOf(row) ?? ''));
  }

  /** Whether a span is a further one of a call: below a called span of its service, or a delivery of the same message. */
  hasCallOf(known: GraphFacts, row: number): boolean {
    const { store } = known.graph;
    const service = known.graph.serviceOf(row);
    // A span that receives a batch has no id of one message.
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

/** Together with the ids of the PRODUCER span it identifies what a service received. */
function nameMessage({ graph, facts }: GraphFacts, row: number): string {
  return keyFor(graph.serviceOf(row), readMessageId(facts.at(row)));
}

function mixIds({ traceIds }: SpanStore, ids: Words, row: number, text: string): readonly [number, number] {
  const mix = (word: number): number =>
    Math.imul(traceIds[row * 4 + 2 + word] ?? 0, mixFactor) ^ (ids[row * 2 + word] ?? 0);
  return [(mix(0) ^ hashText(text)) >>> 0, mix(1) >>> 0];
}

/** Odd, so that no bit is lost: trace ids may repeat the id of their root. */
const mixFactor = 0x9e37_79b1;

/** Source: FNV-1a. */
function hashText(text: string): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193);
  return hash;
}
