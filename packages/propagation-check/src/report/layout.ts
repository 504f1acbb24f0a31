import { styleText } from 'node:util';
import { clip, columnsOf, takeColumns } from './fit-text.ts';

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
  let taken = 0;
  for (const word of text.split(' ')) {
    const room = lines.length === 0 ? first : width;
    const columns = columnsOf(word);
    const fitsBelow = room < width && columns > room && columns <= width;
    if (line === '' ? fitsBelow : taken + 1 + columns > room) {
      lines.push(line);
      [line, taken] = [word, columns];
    } else {
      [line, taken] = line === '' ? [word, columns] : [`${line} ${word}`, taken + 1 + columns];
    }
  }
  return [...lines, line];
}

/** URLs and settings are copied: the terminal wraps them without a line break in the copy. */
const copied = /:\/\/|\w=\S/;

/** Breaks words that are longer than a line, apart from those that are copied. */
function cutWords(text: string, width: number): string {
  return text
    .split(' ')
    .flatMap((word) => cutWord(word, width))
    .join(' ');
}

/** Bounds the length of text in UTF-16 units for each column: a hostile text may consist of characters without a width. */
const longestCharacter = 4;

function cutWord(word: string, width: number): readonly string[] {
  if (copied.test(word)) return [word];
  const parts: string[] = [];
  for (let rest = word; ; ) {
    const start = takeColumns(rest.slice(0, width * longestCharacter), width);
    const at = start.length === rest.length ? 0 : findCut(rest, start);
    if (at === 0) return [...parts, rest];
    parts.push(rest.slice(0, at));
    rest = rest.slice(at);
  }
}

/** The place at which a word is cut so that its first part is not longer than `start`; 0 where there is none. */
function findCut(word: string, start: string): number {
  const joint = Math.max(...['/', ',', ';', '=', '&', '?'].map((mark) => start.lastIndexOf(mark))) + 1;
  let at = joint > start.length / 2 ? joint : start.length;
  // Not within a character, and not before `:` or `#`: a build log could take the next line for a command (`::error::`, `##[error]`).
  while (at > 0 && /[:#\udc00-\udfff]/.test(word.charAt(at))) at -= 1;
  return at;
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

/** Cuts the end of a text that is wider than `width` columns, never within a character. */
export function truncate(text: string, width: number): string {
  const most = width * longestCharacter;
  const bounded = text.length <= most ? text : `${text.slice(0, most).replace(/[\ud800-\udbff]$/, '')}…`;
  return columnsOf(bounded) <= width ? bounded : clip(bounded, width);
}
