/** Control and formatting characters (those that reorder text among them), and line separators. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Where continuous-integration systems see a command: `::error::` at the start of a line, which may be any word's when lines
 * are wrapped; `##[error]` and `##vso[…]` anywhere.
 */
const commandStart = /(?<=^|\s):(?=:)|#(?=#)/g;

/** Makes text from outside safe to print on one line of a terminal or of a build log. */
export function escapeText(text: string): string {
  return text.toWellFormed().replace(unprintable, escapeCharacter).replace(commandStart, escapeCharacter);
}

function escapeCharacter(character: string): string {
  const digits = (character.codePointAt(0) ?? 0).toString(16);
  if (digits.length > 4) return `\\u{${digits}}`;
  return digits.length > 2 ? `\\u${digits.padStart(4, '0')}` : `\\x${digits.padStart(2, '0')}`;
}
