/** Appends further facts about calls to a sentence about them, each fact once. */
export function appendFacts(facts: readonly string[]): string {
  return [...new Set(facts)].map((fact) => `; ${fact}`).join('');
}
