/** What stands in logs and spans for values that are nobody else's business. */
export const redacted = 'REDACTED';

/**
 * Of a request target only the path, in printable ASCII: a query, and the authority of an absolute form, may hold secrets,
 * and some terminals obey what stands beyond ASCII.
 */
export function readPath(target: string): string {
  const [beforeQuery = ''] = target.split(/[?#]/, 1);
  return (
    beforeQuery.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '').replace(/[^!-~]/g, encodeURIComponent) || '/'
  );
}
