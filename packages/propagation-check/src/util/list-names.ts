const mostNames = 5;

/** Lists names for a sentence, sorted; beyond the limit, says how many more there are. */
export function listNames(names: readonly string[]): string {
  const shown = names.toSorted().slice(0, mostNames).join(', ');
  return names.length > mostNames ? `${shown} and ${names.length - mostNames} more` : shown;
}
