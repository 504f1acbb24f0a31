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

/** Breaks text at spaces so that, after an indent, it fits the width. A word that is longer, such as an id, stays whole. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** Puts `label` before the first line and indents the others to match. */
export function hang(label: string, text: string, layout: Layout): readonly string[] {
  return wrap(text, Math.max(20, layout.width - label.length)).map((line, index) =>
    index === 0 ? label + line : ' '.repeat(label.length) + line,
  );
}

/** Shortens from the end to at most `width` columns, never within a character. */
export function truncate(text: string, width: number): string {
  if (text.length <= width) return text;
  return `${text.slice(0, Math.max(0, width - 1)).replace(/[\ud800-\udbff]$/, '')}…`;
}
