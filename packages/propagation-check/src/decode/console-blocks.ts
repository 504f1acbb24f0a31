/** An object in braces, or a list of them, among the lines of a text. */
export interface Block {
  readonly text: string;
  /** The number of its first line, counted from 1. */
  readonly line: number;
  /** The number of lines that it spans. */
  readonly lines: number;
}

/** A line, or a block that is not closed. */
export interface Remainder {
  readonly remainder: string;
  readonly line: number;
  readonly lines: number;
  /** True for a block that the end of the text or another block cuts off. */
  readonly isOpen: boolean;
}

/** The beginning of a span that a logger prints on one line, after a prefix of its own. */
const spanInLine = /\{\s*"(?:resource|resourceSpans|resource_spans|Name)"\s*:/;
const lineStart = /[^\S\n]*(?:\{|\[(?=\s*[{[]))/y;

/**
 * Splits the output of a program into objects and other lines. An object that begins a line may span several lines. The time is linear:
 * each character is visited once or twice.
 */
export function* splitConsole(text: string): Generator<Block | Remainder> {
  let line = 1;
  for (let start = 0; start < text.length; ) {
    const lineEnd = endOfLine(text, start);
    lineStart.lastIndex = start;
    const isBlock = lineStart.test(text);
    const inLine = isBlock ? 0 : text.slice(start, lineEnd).search(spanInLine);
    const brace = isBlock ? lineStart.lastIndex - 1 : start + inLine;
    const { end, state } = inLine < 0 ? noBlock : findBlockEnd(text, brace, isBlock ? text.length : lineEnd);
    const next = isBlock ? endOfLine(text, end) : lineEnd;
    const lines = countLines(text, start, next);
    if (state === 'closed') yield { text: text.slice(brace, end), line, lines };
    const remainder = text.slice(state === 'closed' ? end : start, next);
    if (remainder.trim() !== '') yield { remainder, line, lines, isOpen: isBlock && state === 'open' };
    line += lines;
    start = next + 1;
  }
}

interface BlockEnd {
  readonly end: number;
  readonly state: 'closed' | 'open' | 'broken';
}

const noBlock: BlockEnd = { end: 0, state: 'broken' };

function endOfLine(text: string, from: number): number {
  const found = text.indexOf('\n', from);
  return found < 0 ? text.length : found;
}

/** A line feed at the end of the text does not begin another line. */
function countLines(text: string, from: number, to: number): number {
  const last = Math.min(to, text.length - 1);
  let lines = 1;
  for (let at = text.indexOf('\n', from); at >= 0 && at < last; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}

const closers: ReadonlyMap<string, string> = new Map([
  ['{', '}'],
  ['[', ']'],
]);
const sign = /["'`{}[\]]/g;
const quoted = {
  '"': /[^"\\\n]*(?:\\.[^"\\\n]*)*"/y,
  "'": /[^'\\\n]*(?:\\.[^'\\\n]*)*'/y,
  '`': /[^`\\\n]*(?:\\.[^`\\\n]*)*`/y,
} as const;

/** Finds the bracket that closes the one at `from`, before `limit`. Neither JSON nor `console.dir` breaks a line within quotes. */
function findBlockEnd(text: string, from: number, limit: number): BlockEnd {
  const expected: string[] = [];
  sign.lastIndex = from;
  for (let found = sign.exec(text); found !== null; found = sign.exec(text)) {
    const [character] = found;
    const at = found.index;
    if (at >= limit) break;
    if (character === '"' || character === "'" || character === '`') {
      const string = quoted[character];
      string.lastIndex = at + 1;
      if (!string.test(text)) {
        const isLast = endOfLine(text, at) === text.length;
        return { end: isLast ? text.length : at, state: isLast ? 'open' : 'broken' };
      }
      sign.lastIndex = string.lastIndex;
      continue;
    }
    const closer = closers.get(character);
    if (character === '{' && beginsAnother(text, from, at, expected)) return { end: at - 1, state: 'open' };
    if (closer !== undefined) expected.push(closer);
    else if (expected.pop() !== character) return { end: at, state: 'broken' };
    if (expected.length === 0) return { end: at + 1, state: 'closed' };
  }
  return { end: limit, state: 'open' };
}

/**
 * Whether a brace begins a line, and neither a field's value nor an element of a list: then the object at `from` is cut off. `open` holds
 * the brackets that would close what is open.
 */
function beginsAnother(text: string, from: number, at: number, open: readonly string[]): boolean {
  if (open.length === 0 || text[at - 1] !== '\n') return false;
  let before = at - 1;
  while (before >= 0 && /\s/.test(text.charAt(before))) before -= 1;
  const last = text.charAt(before);
  if (open.at(-1) === '}') return last !== ':';
  indentedStart.lastIndex = from;
  return !['[', ','].includes(last) || (open.length > 1 && indentedStart.test(text));
}

/** The elements of lists in such an object are indented as well. */
const indentedStart = /\{\r?\n[ \t]/y;
