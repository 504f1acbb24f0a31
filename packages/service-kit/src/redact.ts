import { isOpaqueHeader } from 'propagation-check/headers';

/** Replaces secret values in logs and spans. */
export const redacted = 'REDACTED';

const isPlainPath = /^\/[!"$->@-~]*$/;

/** Node.js reads the head of a request as Latin-1: a character is a byte. */
function encodeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/**
 * Of a request target only the path, in printable ASCII: a query, and the authority of an absolute form, may hold secrets,
 * and some terminals obey what stands beyond ASCII.
 */
export function redactPath(target: string): string {
  if (isPlainPath.test(target)) return target;
  const [beforeQuery = ''] = target.split(/[?#]/, 1);
  return beforeQuery.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '').replace(/[^!-~]/g, encodeByte) || '/';
}

/** The entry that the demo is about. */
const shownEntry = 'hello=world';

const lists = ['baggage', 'tracestate'];

export function isSecret(name: string): boolean {
  return lists.includes(name) || isOpaqueHeader(name);
}

/** A header as it may stand in a log: of baggage and tracestate the keys alone, and all of it in printable ASCII. */
export function redactHeader(name: string, value: string): string {
  if (isOpaqueHeader(name)) return redacted;
  const shown = lists.includes(name) ? hideValues(value) : value;
  return shown.replace(/[^ -~]/g, encodeURIComponent);
}

/** Keeps the keys of a list of `key=value;properties`. */
function hideValues(list: string): string {
  return list
    .split(',')
    .map((member) => {
      if (member.trim() === shownEntry) return shownEntry;
      const key = member.slice(0, Math.max(member.indexOf('='), 0)).trim();
      return key === '' ? redacted : `${key}=${redacted}`;
    })
    .join(',');
}
