/** Replaces `node:test` while mutants run: collects the tests, so that one process can run them again for each mutant. */
export interface CollectedTest {
  readonly name: string;
  readonly run: () => unknown;
}

export const collected: CollectedTest[] = [];

let names: readonly string[] = [];

export function suite(name: string, define: () => void): void {
  const outer = names;
  names = [...outer, name];
  define();
  names = outer;
}

export function test(name: string, run: () => unknown): void {
  collected.push({ name: [...names, name].join(' > '), run });
}

export { suite as describe, test as it };
