/** Stands for a private value in a report. */
export const redacted = 'REDACTED';

/** Redacts what instrumentations should not put into span names: the query of a URL or path, and the user and password of a URL. */
export function hideSecrets(text: string): string {
  return text
    .replace(/:\/\/[^\s/"']*@/g, `://${redacted}@`)
    .replace(/(\/[^\s?"']*)\?[^\s"']*/g, `$1?${redacted}`);
}
