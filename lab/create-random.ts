/** The same numbers for the same seed, from 0 to 2^32 - 1. Numerical Recipes' linear congruential generator; the high bits are the better ones. */
export function createRandom(seed: number): () => number {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 16;
  };
  return () => ((next() << 16) | next()) >>> 0;
}
