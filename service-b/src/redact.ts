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

/** The baggage that the demo is about. */
const shownKeys: ReadonlySet<string> = new Set(['hello']);

/** A header as it may stand in a log: no value of baggage or tracestate but those meant to be seen, and printable ASCII. */
export function redactHeader(name: string, value: string): string {
  const shown =
    name === 'baggage'
      ? hideValues(value, shownKeys)
      : name === 'tracestate'
        ? hideValues(value, new Set())
        : value;
  return shown.replace(/[^ -~]/g, encodeURIComponent);
}

/** Keeps the keys of a list of `key=value;properties`. */
function hideValues(list: string, shown: ReadonlySet<string>): string {
  return list
    .split(',')
    .map((member) => {
      const at = member.indexOf('=');
      const key = member.slice(0, Math.max(at, 0)).trim();
      if (key === '') return redacted;
      const [value = ''] = member.slice(at + 1).split(';', 1);
      return `${key}=${shown.has(key) ? value.trim() : redacted}`;
    })
    .join(',');
}
