import { keyFor } from './group-by.ts';

/** A function that works each result out once. */
export function remember<Parts extends readonly (string | null)[], Result>(
  work: (...parts: Parts) => Result,
): (...parts: Parts) => Result {
  const known = new Map<string, { readonly result: Result }>();
  return (...parts) => {
    const key = keyFor(...parts);
    const entry = known.get(key) ?? { result: work(...parts) };
    known.set(key, entry);
    return entry.result;
  };
}

/** The same of one argument, which may be an object. */
export function rememberOf<Key, Result>(work: (key: Key) => Result): (key: Key) => Result {
  const known = new Map<Key, { readonly result: Result }>();
  return (key) => {
    const entry = known.get(key) ?? { result: work(key) };
    known.set(key, entry);
    return entry.result;
  };
}
