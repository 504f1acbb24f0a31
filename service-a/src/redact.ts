/** What stands in logs and spans for values that are nobody else's business. */
export const redacted = 'REDACTED';

/** Node.js reads the head of a request as Latin-1: a character is a byte. */
function encodeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/**
 * Of a request target only the path, in printable ASCII: a query, and the authority of an absolute form, may hold secrets,
 * and some terminals obey what stands beyond ASCII.
 */
export function readPath(target: string): string {
  const [beforeQuery = ''] = target.split(/[?#]/, 1);
  return beforeQuery.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '').replace(/[^!-~]/g, encodeByte) || '/';
}
