/** Integers from 0 to 2^32 - 1, the same for the same seed: the linear congruential generator of Numerical Recipes, with weak low bits. */
export function createRandom(seed: number): () => number {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 16;
  };
  return () => ((next() << 16) | next()) >>> 0;
}
