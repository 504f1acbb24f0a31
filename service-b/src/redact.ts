/** What stands in logs and spans for values that are nobody else's business. */
export const redacted = 'REDACTED';

/** Of a request target only the path: a query, and the authority of an absolute form, may hold secrets. */
export function readPath(target: string): string {
  const [beforeQuery = ''] = target.split(/[?#]/, 1);
  return beforeQuery.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '') || '/';
}

/** The baggage that the demo is about. */
const shownKeys: ReadonlySet<string> = new Set(['hello']);

/** Of a list of `key=value;properties` (baggage, tracestate) the keys, and no values but those meant to be seen. */
export function hideValues(list: unknown): string {
  return String(list)
    .split(',')
    .map((member) => {
      const at = member.indexOf('=');
      const key = member.slice(0, Math.max(at, 0)).trim();
      if (key === '') return redacted;
      const [value = ''] = member.slice(at + 1).split(';', 1);
      return `${key}=${shownKeys.has(key) ? value.trim() : redacted}`;
    })
    .join(',');
}
