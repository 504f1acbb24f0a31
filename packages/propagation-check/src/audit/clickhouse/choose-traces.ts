import type { Chosen } from './queries.ts';
import { isOfTraces, item } from './trace-sql.ts';

/** One key of an item, and how often it was found. */
export interface Counted {
  readonly item: number;
  readonly key: string;
  readonly found: number;
  /** Of the traces, all together. */
  readonly spans: number;
  /** Of the slice, where the item is one. */
  readonly sliceHash: bigint;
  readonly examples: readonly Example[];
  /** The traces with the first and the last. */
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
  /** Spans that leave the cluster for it. */
  cost: number;
}

/** This share of the budget is for slices of the whole; the rest is for loose ends that none of these has. */
const commonShare = 0.5;

/**
 * Chooses the traces that leave the cluster: all, or of every kind of plain call some examples, and all traces of slices of time that are
 * chosen by their hash, and by the loose ends that these do not have. Both sides of a split call begin at the same time.
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
  // The rarest first: they are the least likely to be of another's slice.
  for (const { examples } of loose.toSorted((left, right) => left.found - right.found)) {
    if (examples.some(({ slice }) => chosen.has(slice))) continue;
    choose(slices.get(examples[0]?.slice ?? -1n), most);
  }
  // Their calls are counted only where they are read.
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
