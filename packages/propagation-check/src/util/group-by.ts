/** A group contains at least one item. */
export type Group<T> = readonly [T, ...T[]];

/** As `Map.groupBy`, which Node 20 lacks. */
export function mapBy<K, T>(items: Iterable<T>, keyOf: (item: T) => K): Map<K, Group<T>> {
  const groups = new Map<K, [T, ...T[]]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** Groups in order of first appearance. */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): readonly Group<T>[] {
  return [...mapBy(items, keyOf).values()];
}

/** A key of several parts. JSON keeps them apart whatever characters they contain. */
export function keyFor(...parts: readonly (string | number | null)[]): string {
  return JSON.stringify(parts);
}
