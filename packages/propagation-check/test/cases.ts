/**
 * How many cases a property tries: all of them in the suite of scale (`all-cases.scale.test.ts`), otherwise the first quarter.
 * The seeds are kept, so the quick tests would try the same cases again with every run.
 */
export function cases(all: number): number {
  return process.env.PROPERTY_CASES === 'all' ? all : Math.ceil(all / 4);
}
