/** Control and formatting characters, including those that reorder text, and line separators. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * The places where continuous-integration systems read a command: `::error::` at the start of a line, which may be the start of any word
 * because lines are wrapped; `##[error]` and `##vso[…]` anywhere.
 */
const commandStart = /(?<=^|\s):(?=:)|#(?=#)/g;

/** Makes text from outside safe to print in one line of a terminal or a build log. */
export function escapeText(text: string): string {
  return text.toWellFormed().replace(unprintable, escapeCharacter).replace(commandStart, escapeCharacter);
}

function escapeCharacter(character: string): string {
  const digits = (character.codePointAt(0) ?? 0).toString(16);
  if (digits.length > 4) return `\\u{${digits}}`;
  return digits.length > 2 ? `\\u${digits.padStart(4, '0')}` : `\\x${digits.padStart(2, '0')}`;
}
