/** Control characters (C0, C1, DEL), line separators and characters that reorder text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const unprintable = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** A word at which continuous-integration systems start a command: `::error::`, `##[error]`, `##vso[…]`. */
const commandStart = /(^|\s)(::|##)/g;

/** Makes text from outside safe to print on one line of a terminal or of a build log. */
export function escapeText(text: string): string {
  return text
    .toWellFormed()
    .replace(unprintable, escapeCharacter)
    .replace(
      commandStart,
      (_, before: string, mark: string) => `${before}${escapeCharacter(mark)}${mark.slice(1)}`,
    );
}

function escapeCharacter(text: string): string {
  const code = text.charCodeAt(0);
  const digits = code.toString(16);
  return code < 0x100 ? `\\x${digits.padStart(2, '0')}` : `\\u${digits.padStart(4, '0')}`;
}
