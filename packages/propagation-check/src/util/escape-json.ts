/**
 * Escapes the characters that control a terminal or reorder text, and the `##` with which CI systems begin a command anywhere in a line
 * (`##[error]`, `##vso[…]`). The JSON value stays the same. Line breaks between tokens stay.
 */
export function escapeJson(json: string): string {
  return json.replace(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|#(?=#)/gu, escapeUnits);
}

function escapeUnits(character: string): string {
  const units = character.split('').map((unit) => unit.charCodeAt(0).toString(16));
  return units.map((digits) => `\\u${digits.padStart(4, '0')}`).join('');
}
