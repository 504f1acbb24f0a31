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
