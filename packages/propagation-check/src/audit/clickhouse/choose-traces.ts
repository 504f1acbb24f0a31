import type { Chosen } from './queries.ts';
import { isOfTraces, item } from './trace-sql.ts';

/** An item with one key, and how often it was found. */
export interface Counted {
  readonly item: number;
  readonly key: string;
  readonly found: number;
  /** The spans of all its traces. */
  readonly spans: number;
  /** The hash of the slice, where the item is a slice of traces. */
  readonly sliceHash: bigint;
  readonly examples: readonly Example[];
  /** The traces with the first and the last occurrence. */
  readonly ends: readonly string[];
}

export interface Example {
  readonly sliceHash: bigint;
  readonly slice: bigint;
  readonly traceId: string;
}

interface Slice {
  readonly slice: bigint;
  readonly hash: bigint;
  /** How many spans of the slice leave the cluster. */
  cost: number;
}

/** The share of the budget for slices in the order of their hashes. The rest is for loose ends that these slices do not contain. */
const commonShare = 0.5;

/**
 * Chooses the traces that leave the cluster: all of them where the budget allows it. Otherwise these: some examples of each kind of plain
 * call, and all traces of some slices of time. A slice is chosen by its hash, or for a loose end that the others lack. Slices keep both
 * sides of a split call together, because they begin at the same time.
 */
export function chooseTraces(counted: readonly Counted[], most: number): Chosen {
  const traceIds = new Set<string>();
  for (const { item: of, examples, ends } of counted) {
    if (of !== item.plainCall) continue;
    for (const { traceId } of examples) traceIds.add(traceId);
    for (const traceId of ends) traceIds.add(traceId);
  }
  return { slices: chooseSlices(counted, most), traceIds: [...traceIds] };
}

function chooseSlices(counted: readonly Counted[], most: number): readonly bigint[] | null {
  const slices = listSlices(counted);
  const all = [...slices.values()];
  if (sumCosts(all) <= most) return null;
  const chosen = new Set<bigint>();
  let cost = 0;
  const choose = (slice: Slice | undefined, limit: number): void => {
    if (slice === undefined || chosen.has(slice.slice) || (cost + slice.cost > limit && chosen.size > 0))
      return;
    chosen.add(slice.slice);
    cost += slice.cost;
  };
  for (const slice of all.sort((left, right) => (left.hash < right.hash ? -1 : 1))) {
    if (cost + slice.cost > most * commonShare && chosen.size > 0) break;
    choose(slice, most * commonShare);
  }
  const loose = counted.filter(({ item: of }) => of === item.open || of === item.orphan);
  // The rarest first: others are more likely to be in a slice that is chosen for another one.
  for (const { examples } of loose.toSorted((left, right) => left.found - right.found)) {
    if (examples.some(({ slice }) => chosen.has(slice))) continue;
    choose(slices.get(examples[0]?.slice ?? -1n), most);
  }
  // Calls of a large trace are counted only where the trace is read.
  for (const { item: of, key } of counted) if (of === item.largeTrace) choose(slices.get(BigInt(key)), most);
  return [...chosen];
}

function listSlices(counted: readonly Counted[]): ReadonlyMap<bigint, Slice> {
  const slices = new Map<bigint, Slice>();
  for (const { item: of, key, spans, sliceHash } of counted) {
    if (!isOfTraces.has(of)) continue;
    const slice = BigInt(key);
    const known = slices.get(slice) ?? { slice, hash: sliceHash, cost: 0 };
    known.cost += spans;
    slices.set(slice, known);
  }
  return slices;
}

function sumCosts(slices: readonly Slice[]): number {
  return slices.reduce((sum, { cost }) => sum + cost, 0);
}
