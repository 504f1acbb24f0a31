import { styleText } from 'node:util';

export interface Layout {
  /** Columns of the terminal. */
  readonly width: number;
  readonly color: boolean;
  /** The locale is not UTF-8: nothing but ASCII can be shown. */
  readonly ascii?: boolean;
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

export function paint(layout: Layout, style: Style, text: string): string {
  return layout.color ? styleText(style, text, { validateStream: false }) : text;
}

/** On narrower terminals a label takes too much of a line: the text goes on below it. */
const roomForLabels = 60;
/** Of text that goes on below its label. */
export const narrowIndent = 4;
/** On narrower terminals ids, paths and commands are broken. On others they stay whole, so that they can be found and copied. */
const roomForWords = 80;

export function isNarrow({ width }: Layout): boolean {
  return width < roomForLabels;
}

/** Whether words stay whole that are longer than a line. */
export function keepsWords({ width }: Layout): boolean {
  return width >= roomForWords;
}

/**
 * Breaks text at spaces so that it fits the width. A word that is longer, such as an id, stays whole unless it is cut before.
 *
 * @param first The width of the first line. It stays empty where the first word fits the others alone.
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
  // No half of a character, and no line that a build log could take for a command (`::error::`, `##[error]`).
  while (at > 0 && (/[:#]/.test(word.charAt(at)) || /[\ud800-\udbff]/.test(word.charAt(at - 1)))) at -= 1;
  return at === 0 ? [word] : [word.slice(0, at), ...cutWord(word.slice(at), width)];
}

const narrowestText = 20;

/** Puts `label` before the first line and indents the others to match. @param more Further columns, as below the number of a list's item. */
export function hang(label: string, text: string, layout: Layout, more = 0): readonly string[] {
  const indent = more + (isNarrow(layout) ? Math.min(label.length, narrowIndent) : label.length);
  const roomBehind = (taken: number): number => Math.max(narrowestText, layout.width - taken);
  const width = roomBehind(indent);
  const words = keepsWords(layout) ? text : cutWords(text, width);
  return wrap(words, width, roomBehind(label.length + more)).map((line, index) =>
    index === 0 ? (line === '' ? label.trimEnd() : label + line) : ' '.repeat(indent) + line,
  );
}

/** Shortens from the end to at most `width` columns, never within a character. */
export function truncate(text: string, width: number): string {
  if (text.length <= width) return text;
  return `${text.slice(0, Math.max(0, width - 1)).replace(/[\ud800-\udbff]$/, '')}…`;
}
