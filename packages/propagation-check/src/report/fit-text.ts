import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';

const graphemes = new Intl.Segmenter();

/** The columns that a text takes in a terminal. Wide characters take two. */
export function columnsOf(text: string): number {
  return /^[\x20-\x7e]*$/.test(text) ? text.length : stringWidth(text);
}

/** The longest beginning of a text that fits into `width` columns, never a part of a character. */
export function takeColumns(text: string, width: number): string {
  let taken = '';
  let columns = 0;
  for (const { segment } of graphemes.segment(text)) {
    columns += columnsOf(segment);
    if (columns > width) break;
    taken += segment;
  }
  return taken;
}

/** Cuts or pads the text to exactly `width` columns. */
export function fitText(text: string, width: number): string {
  const missing = width - columnsOf(text);
  if (missing >= 0) return text + ' '.repeat(missing);
  const cut = takeColumns(stripVTControlCharacters(text), width - 1);
  return `${cut}…${' '.repeat(Math.max(0, width - 1 - columnsOf(cut)))}`;
}

/** Cuts the text to at most `width` columns. */
export function clip(text: string, width: number): string {
  return fitText(text, width).trimEnd();
}
