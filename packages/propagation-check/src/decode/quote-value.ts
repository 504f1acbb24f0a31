const longest = 60;

/** Control and formatting characters (direction of text among them), and the line breaks JSON leaves as they are. */
const unsafe = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** Formats untrusted input for an error message: as short JSON on one line, without characters that a terminal would interpret. */
export function quoteValue(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  if (typeof value !== 'string') return String(value).slice(0, longest);
  const short = value.length > longest ? `${value.slice(0, longest)}…` : value;
  return escapeControls(JSON.stringify(short));
}

/** Replaces every control and formatting character, line breaks included, by its `\u` escape. */
export function escapeControls(text: string): string {
  return text.replace(unsafe, (character) => {
    const digits = (character.codePointAt(0) ?? 0).toString(16);
    return digits.length > 4 ? `\\u{${digits}}` : `\\u${digits.padStart(4, '0')}`;
  });
}
