const mostNames = 5;

/** Names for a sentence, in order; of many, how many are left out. */
export function listNames(names: readonly string[]): string {
  const shown = names.toSorted().slice(0, mostNames).join(', ');
  return names.length > mostNames ? `${shown} and ${names.length - mostNames} more` : shown;
}
