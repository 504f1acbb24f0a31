/** Markup, already escaped. */
export interface Markup {
  readonly markup: string;
}

type Part = Markup | string | number | null | readonly (Markup | string | null)[];

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A template of HTML or SVG. Values are escaped unless they are markup; lists are joined; null is left out. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const text = strings.map((string, index) => string + writePart(parts[index] ?? null)).join('');
  return { markup: text };
}

/** Trusts markup of this package, such as its style sheet. Never call it with text from outside. */
export function trusted(markup: string): Markup {
  return { markup };
}

function writePart(part: Part): string {
  if (part === null) return '';
  if (typeof part === 'string') return part.replace(/[&<>"']/g, (character) => entities[character] ?? '');
  if (typeof part === 'number') return String(part);
  if ('markup' in part) return part.markup;
  return part.map(writePart).join('');
}
