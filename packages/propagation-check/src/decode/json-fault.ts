/** Where a text stops being JSON. */
export interface JsonFault {
  /** In UTF-16 code units. */
  readonly offset: number;
  /** True when everything up to the end is valid: the text was cut off. */
  readonly endsEarly: boolean;
}

type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or end' | 'nothing';

const plain = String.raw`[ !#-[\]-\uffff]*`;
const escaped = String.raw`\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})`;
const string = `"${plain}(?:${escaped}${plain})*`;
const number = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])`;

const space = /[ \t\n\r]*/y;
const token = new RegExp(`[{}[\\],:]|${string}"|${number}|(?:true|false|null)(?!\\w)`, 'y');
const openString = new RegExp(string, 'y');
/** The end of a text that was cut off within a string or another scalar. */
const openTail = /(?:\\(?:u[0-9a-fA-F]{0,3})?)?$/y;
const openScalar = /(?:-?\d*\.?\d*(?:[eE][+-]?\d*)?|t|tr|tru|f|fa|fal|fals|n|nu|nul)$/y;

/** Finds the first fault of a text that `JSON.parse` refused: its own messages do not always have a position. */
export function findJsonFault(text: string): JsonFault {
  const open: ('{' | '[')[] = [];
  let expected: Expected = 'value';
  let offset = 0;
  for (;;) {
    offset = matchEnd(space, text, offset) ?? offset;
    if (offset >= text.length) return { offset, endsEarly: expected !== 'nothing' };
    const end = matchEnd(token, text, offset);
    if (end === null) return findScalarFault(text, offset);
    const next = advance(expected, text.slice(offset, Math.min(end, offset + 1)), open);
    if (next === null) return { offset, endsEarly: false };
    expected = next;
    offset = end;
  }
}

function findScalarFault(text: string, offset: number): JsonFault {
  const stringEnd = matchEnd(openString, text, offset);
  if (stringEnd !== null) {
    return { offset: stringEnd, endsEarly: matchEnd(openTail, text, stringEnd) !== null };
  }
  return { offset, endsEarly: matchEnd(openScalar, text, offset) !== null };
}

/** @returns What must follow, or null when this token must not stand here. Opens and closes brackets in `open`. */
function advance(expected: Expected, first: string, open: ('{' | '[')[]): Expected | null {
  const inside = open.at(-1);
  if (first === ':') return expected === ':' ? 'value' : null;
  if (first === ',') return expected === ', or end' ? (inside === '{' ? 'key' : 'value') : null;
  if (first === '}' || first === ']') {
    const empty = first === '}' ? 'key or }' : 'value or ]';
    const opener = first === '}' ? '{' : '[';
    if (inside !== opener || (expected !== empty && expected !== ', or end')) return null;
    open.pop();
    return open.length === 0 ? 'nothing' : ', or end';
  }
  if (expected === 'key' || expected === 'key or }') return first === '"' ? ':' : null;
  if (expected !== 'value' && expected !== 'value or ]') return null;
  if (first === '{' || first === '[') {
    open.push(first);
    return first === '{' ? 'key or }' : 'value or ]';
  }
  return open.length === 0 ? 'nothing' : ', or end';
}

function matchEnd(pattern: RegExp, text: string, offset: number): number | null {
  pattern.lastIndex = offset;
  return pattern.test(text) ? pattern.lastIndex : null;
}
