/** A tree of maps, one level for each part of the key. */
interface Level<Result> {
  readonly next: Map<string | null, Level<Result>>;
  entry: { readonly result: Result } | null;
}

/** Memoizes a function by its arguments. */
export function remember<Parts extends readonly (string | null)[], Result>(
  work: (...parts: Parts) => Result,
): (...parts: Parts) => Result {
  const first: Level<Result> = { next: new Map(), entry: null };
  return (...parts) => {
    let level = first;
    // A plain loop, because an iterator allocates for each part until V8 has compiled it.
    for (let at = 0; at < parts.length; at += 1) {
      const part = parts[at] ?? null;
      let next = level.next.get(part);
      if (next === undefined) {
        next = { next: new Map(), entry: null };
        level.next.set(part, next);
      }
      level = next;
    }
    level.entry ??= { result: work(...parts) };
    return level.entry.result;
  };
}

/** As `remember`, for one argument, which may be an object. */
export function rememberOf<Key, Result>(work: (key: Key) => Result): (key: Key) => Result {
  const known = new Map<Key, { readonly result: Result }>();
  return (key) => {
    const entry = known.get(key);
    if (entry !== undefined) return entry.result;
    const result = work(key);
    known.set(key, { result });
    return result;
  };
}
