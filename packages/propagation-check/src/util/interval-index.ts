/** Finds the intervals that contain a time. Intervals are identified by their positions in the given arrays. */
export interface IntervalIndex {
  /** The intervals that start at or before `until` and end at or after `since`, the latest start first. */
  openBetween(since: number, until: number): Iterable<number>;
  /**
   * Whether `isMeant` holds for an interval that was open at `times[at]`, within `tolerance`. Takes an array and an index, because V8 would
   * allocate a number that is passed, and a closure for each look-up.
   */
  someOpenAt(
    times: Float64Array,
    at: number,
    tolerance: number,
    isMeant: (at: number, position: number) => boolean,
  ): boolean;
  /** Removes the interval from later look-ups. */
  remove(position: number): void;
}

/**
 * Sorts the intervals by start and builds a tree of the latest end in each part, so that a look-up skips ended intervals however long
 * others are. Among equal starts, the later position is found first.
 */
export function indexIntervals(starts: Float64Array, ends: Float64Array): IntervalIndex {
  const order = orderBy(starts);
  const sorted = starts.slice().sort();
  const latest = buildTree(order, ends);
  const leaves = latest.length / 2;
  let leafOf: Uint32Array | null = null;
  let last = 0;
  // Most look-ups are near the previous one.
  const findUpTo = (limit: number): number => {
    last = countUpTo(sorted, limit, last);
    return last;
  };
  return {
    *openBetween(since, until) {
      let at = findLast(latest, leaves, findUpTo(until) - 1, since);
      while (at >= 0) {
        yield order[at] ?? 0;
        at = findLast(latest, leaves, at - 1, since);
      }
    },
    someOpenAt(times, at, tolerance, isMeant) {
      const time = times[at] ?? 0;
      const since = time - tolerance;
      let leaf = findLast(latest, leaves, findUpTo(time + tolerance) - 1, since);
      while (leaf >= 0) {
        if (isMeant(at, order[leaf] ?? 0)) return true;
        leaf = findLast(latest, leaves, leaf - 1, since);
      }
      return false;
    },
    remove(position) {
      leafOf ??= invert(order);
      let node = leaves + (leafOf[position] ?? 0);
      latest[node] = Number.NEGATIVE_INFINITY;
      for (node >>= 1; node > 0; node >>= 1) latest[node] = latestBelow(latest, node);
    },
  };
}

// Functions of their own, because V8 falls back to slow code at the end of each loop of a function that goes on after the loop.

function orderBy(starts: Float64Array): Uint32Array {
  const order = new Uint32Array(starts.length).map((_, position) => position);
  // Nearly all arrays are sorted already.
  return isAscending(starts)
    ? order
    : order.sort((left, right) => (starts[left] ?? 0) - (starts[right] ?? 0) || left - right);
}

function isAscending(values: Float64Array): boolean {
  for (let at = 1; at < values.length; at += 1) if ((values[at] ?? 0) < (values[at - 1] ?? 0)) return false;
  return true;
}

/** A binary tree in an array: the leaves, in its second half, are the ends in order, and each node above is the latest end below it. */
function buildTree(order: Uint32Array, ends: Float64Array): Float64Array {
  let leaves = 1;
  while (leaves < order.length) leaves *= 2;
  const latest = new Float64Array(leaves * 2);
  const latestOf = (leaf: number): number => ends[order[leaf] ?? order.length] ?? Number.NEGATIVE_INFINITY;
  for (let node = latest.length - 1; node > 0; node -= 1)
    latest[node] = node < leaves ? latestBelow(latest, node) : latestOf(node - leaves);
  return latest;
}

function invert(order: Uint32Array): Uint32Array {
  const inverse = new Uint32Array(order.length);
  for (const [at, position] of order.entries()) inverse[position] = at;
  return inverse;
}

function latestBelow(latest: Float64Array, node: number): number {
  return Math.max(latest[node * 2] ?? 0, latest[node * 2 + 1] ?? 0);
}

/** How many of the sorted values are at most `limit`. @param near Where the galloping search begins. */
function countUpTo(sorted: Float64Array, limit: number, near: number): number {
  let low = near;
  let high = near;
  for (let step = 1; low > 0 && (sorted[low - 1] ?? 0) > limit; step *= 2) {
    high = low - 1;
    low = Math.max(0, low - step);
  }
  for (let step = 1; high < sorted.length && (sorted[high] ?? 0) <= limit; step *= 2) {
    low = high + 1;
    high = Math.min(sorted.length, high + step);
  }
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The last leaf at or before `from` that ends at or after `since`; -1 if there is none. */
function findLast(latest: Float64Array, leaves: number, from: number, since: number): number {
  if (from < 0) return -1;
  let node = leaves + from;
  while (!reaches(latest, node, since)) {
    // Climb to the nearest subtree on the left that contains such an end.
    while (node % 2 === 0 && node > 1) node >>= 1;
    if (node <= 1) return -1;
    node -= 1;
  }
  while (node < leaves) node = reaches(latest, node * 2 + 1, since) ? node * 2 + 1 : node * 2;
  return node - leaves;
}

function reaches(latest: Float64Array, node: number, since: number): boolean {
  return (latest[node] ?? Number.NEGATIVE_INFINITY) >= since;
}
