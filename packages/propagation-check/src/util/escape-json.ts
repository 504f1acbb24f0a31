/**
 * The same JSON, without characters that a terminal obeys or that reorder text, and without the `##` with which
 * continuous-integration systems begin a command anywhere in a line (`##[error]`, `##vso[…]`). Line breaks between tokens stay.
 */
export function escapeJson(json: string): string {
  return json.replace(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|#(?=#)/gu, escapeUnits);
}

function escapeUnits(character: string): string {
  const units = character.split('').map((unit) => unit.charCodeAt(0).toString(16));
  return units.map((digits) => `\\u${digits.padStart(4, '0')}`).join('');
}
