/**
 * How many cases a test tries: all of them in the suite of scale (`all-cases.scale.test.ts`), otherwise the first quarter.
 * Seeds are kept, so the quick tests would try the same cases again with every run.
 */
export function cases(all: number): number {
  return isComplete() ? all : Math.ceil(all / 4);
}

/** The same for what is in an order: steps of one, otherwise of a number that has no divisor in common with small lists. */
export function step(): number {
  return isComplete() ? 1 : 5;
}

function isComplete(): boolean {
  return process.env.PROPERTY_CASES === 'all';
}
