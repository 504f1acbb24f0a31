import { wrap } from '../../report/layout.ts';

/** Lines of a paragraph begin with a character of text; code, lists, tables and headings stay as they are. */
const paragraphLine = /^[\p{L}\p{N}("*[`](?!``)/u;
const listItem = /^(?:\d+\.|[-*]) /;

/** Breaks the paragraphs of a Markdown page for a terminal. */
export function layMarkdown(page: string, width: number): readonly string[] {
  const lines: string[] = [];
  let paragraph: string[] = [];
  let isCode = false;
  const endParagraph = () => {
    if (paragraph.length > 0) lines.push(...wrap(paragraph.join(' '), width));
    paragraph = [];
  };
  for (const line of page.trimEnd().split('\n')) {
    if (line.startsWith('```')) isCode = !isCode;
    if (!isCode && paragraphLine.test(line) && !listItem.test(line)) {
      paragraph.push(line);
      continue;
    }
    endParagraph();
    lines.push(...(isCode ? [line] : wrap(line, width)));
  }
  endParagraph();
  return lines;
}
