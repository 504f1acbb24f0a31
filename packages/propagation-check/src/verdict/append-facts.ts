/** What else the data show of calls, behind a sentence about them. Each fact once. */
export function appendFacts(facts: readonly string[]): string {
  return [...new Set(facts)].map((fact) => `; ${fact}`).join('');
}
