/** Stands in a report for a value that is private. */
export const redacted = 'REDACTED';

/**
 * A text about spans without what instrumentations should not have put into their names: the query of a URL or path, and
 * user and password of a URL.
 */
export function hideSecrets(text: string): string {
  return text
    .replace(/:\/\/[^\s/"']*@/g, `://${redacted}@`)
    .replace(/(\/[^\s?"']*)\?[^\s"']*/g, `$1?${redacted}`);
}
