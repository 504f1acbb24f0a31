/** In single quotes, a shell interprets only the closing quote. */
export function quoteForShell(text: string): string {
  return /^[\w.][\w.:/@-]*$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
