import { wrap } from '../report/layout.ts';

/** A line of a paragraph begins with a character of text. Lines of code, tables and headings do not match. */
const paragraphLine = /^[\p{L}\p{N}("*[`](?!``)/u;
const listItem = /^( *(?:\d+\.|[-*]) +)(.*)$/;

/** Breaks the paragraphs and lists of a Markdown page for a terminal. */
export function layMarkdown(page: string, width: number): readonly string[] {
  const lines: string[] = [];
  /** The marker of the current list item; empty in a paragraph. */
  let label = '';
  let text: string[] = [];
  let isCode = false;
  const endText = () => {
    if (text.length > 0) lines.push(...layText(label, text.join(' '), width));
    label = '';
    text = [];
  };
  for (const line of page.trimEnd().split('\n')) {
    const isFence = line.trimStart().startsWith('```');
    if (isFence) isCode = !isCode;
    const [, mark, first] = (isCode ? null : listItem.exec(line)) ?? [];
    const isMore = text.length > 0 && label !== '' && /^ +\S/.test(line);
    if (mark !== undefined && first !== undefined) {
      endText();
      label = mark;
      text.push(first);
    } else if (!isCode && !isFence && (isMore || paragraphLine.test(line))) {
      if (!isMore && label !== '') endText();
      text.push(line.trim());
    } else {
      endText();
      lines.push(...(isCode ? [line] : wrap(line, width)));
    }
  }
  endText();
  return lines;
}

/** Wraps the text of an item and indents it to its first word. */
function layText(label: string, text: string, width: number): readonly string[] {
  const indent = ' '.repeat(label.length);
  return wrap(text, width - label.length).map((line, at) => `${at === 0 ? label : indent}${line}`);
}
