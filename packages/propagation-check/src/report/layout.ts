import { styleText } from 'node:util';

export interface Layout {
  /** Columns of the terminal. */
  readonly width: number;
  readonly color: boolean;
  /** The locale is not UTF-8: only ASCII can be shown. */
  readonly ascii?: boolean;
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

export function paint(layout: Layout, style: Style, text: string): string {
  return layout.color ? styleText(style, text, { validateStream: false }) : text;
}

/** Below this width a label takes too much of a line, and text continues below it. */
const roomForLabels = 60;
/** The indent of text that continues below its label. */
export const narrowIndent = 4;
/** Below this width ids, paths and commands are broken. Otherwise they stay whole, so that they can be searched for and copied. */
const roomForWords = 80;

export function isNarrow({ width }: Layout): boolean {
  return width < roomForLabels;
}

/** Whether words that are longer than a line stay whole. */
export function keepsWords({ width }: Layout): boolean {
  return width >= roomForWords;
}

/**
 * Breaks text at spaces to fit the width. A longer word, such as an id, stays whole; see `cutWords`.
 *
 * @param first The width of the first line. That line stays empty where the first word only fits into later lines.
 */
export function wrap(text: string, width: number, first = width): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const room = lines.length === 0 ? first : width;
    const fitsBelow = room < width && word.length > room && word.length <= width;
    if (line === '' ? fitsBelow : line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** Breaks words that are longer than a line. */
function cutWords(text: string, width: number): string {
  return text
    .split(' ')
    .flatMap((word) => cutWord(word, width))
    .join(' ');
}

function cutWord(word: string, width: number): readonly string[] {
  if (word.length <= width) return [word];
  const start = word.slice(0, width);
  const joint = Math.max(...['/', ',', ';', '=', '&', '?'].map((mark) => start.lastIndexOf(mark))) + 1;
  let at = joint > width / 2 ? joint : width;
  // Not within a character, and not before `:` or `#`: a build log could take the next line for a command (`::error::`, `##[error]`).
  while (at > 0 && (/[:#]/.test(word.charAt(at)) || /[\ud800-\udbff]/.test(word.charAt(at - 1)))) at -= 1;
  return at === 0 ? [word] : [word.slice(0, at), ...cutWord(word.slice(at), width)];
}

const narrowestText = 20;

/** Puts `label` before the first line and indents the other lines to match. @param more Further indent, such as that of a numbered list. */
export function hang(label: string, text: string, layout: Layout, more = 0): readonly string[] {
  const indent = more + (isNarrow(layout) ? Math.min(label.length, narrowIndent) : label.length);
  const roomBehind = (taken: number): number => Math.max(narrowestText, layout.width - taken);
  const width = roomBehind(indent);
  const words = keepsWords(layout) ? text : cutWords(text, width);
  return wrap(words, width, roomBehind(label.length + more)).map((line, index) =>
    index === 0 ? (line === '' ? label.trimEnd() : label + line) : ' '.repeat(indent) + line,
  );
}

/** Cuts the end to fit `width` columns, never within a character. */
export function truncate(text: string, width: number): string {
  if (text.length <= width) return text;
  return `${text.slice(0, Math.max(0, width - 1)).replace(/[\ud800-\udbff]$/, '')}…`;
}
