/** In single quotes nothing but their end has a meaning. */
export function quoteForShell(text: string): string {
  return /^[\w.][\w.:/@-]*$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
