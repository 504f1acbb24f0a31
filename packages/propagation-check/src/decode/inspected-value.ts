import { deepestValue } from './attribute-value.ts';
import { DecodeError } from './decode-error.ts';
import { quoteValue } from './quote-value.ts';

const patterns = {
  space: /\s*/y,
  string: /'[^'\\\n]*(?:\\.[^'\\\n]*)*'|"[^"\\\n]*(?:\\.[^"\\\n]*)*"|`[^`\\\n]*(?:\\.[^`\\\n]*)*`/y,
  /** `'…' +`: the string goes on in the next line. */
  goesOn: /\s*\+\s*(?=['"`])/y,
  cutString: /\.\.\. \d+ more characters?/y,
  /**
   * A value that `util.inspect` leaves out because it is nested too deeply or is not data: `[Object]`, `[TraceStateImpl]`, `[Function:
   * x]`, `[Circular *1]`.
   */
  leftOut: /\[(?!(?:true|false|null|undefined|NaN)\b)[A-Za-z_$][\w$]*(?:[: *(][^\]\n]*)?\](?!\s*\{)/y,
  /** The class name before an object or a list: `Map(1) {`, `TraceStateImpl {`, `[Object: null prototype] {`. */
  className:
    /(?:<ref \*\d+> )?(?:(?:[A-Za-z_$][\w$.]*|\[[A-Za-z_$][\w$.]*: null prototype\])(?:\(\d+\))?(?: <[^>\n]*>)?\s+)?(?=[{[])/y,
  number: /-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?n?|Infinity|NaN)(?![\w.])/y,
  word: /(?:true|false|null|undefined)(?![\w$])/y,
  key: /[A-Za-z_$][\w$]*|\d+/y,
  bracketedKey: /\[(?='|")/y,
  /** `=>` stands between key and value of a Map. */
  colon: /:|=>/y,
  comma: /,/y,
  moreItems: /\.\.\. \d+ more items?/y,
  emptyItems: /<\d+ empty items?>/y,
} as const;

const words: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
  ['undefined', undefined],
]);

/**
 * Reads an object that Node's `console.dir` printed (`util.inspect`; Deno and Bun print alike). Values that are left out because they are
 * nested too deeply (`[Object]`) are undefined; the rest of a shortened list or string is missing.
 * @throws {DecodeError} with the character at which the text does not fit.
 */
export function readInspectedValue(text: string): unknown {
  const reader = new Reader(text);
  const value = reader.readValue(0);
  reader.expectEnd();
  return value;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readValue(depth: number): unknown {
    if (depth > deepestValue) throw this.#fail(`nested deeper than ${deepestValue} levels`);
    const string = this.#readString();
    if (string !== null) return string;
    if (this.#take('leftOut') !== null) return undefined;
    if (this.#take('className') !== null) {
      return this.#text[this.#at] === '{' ? this.#readObject(depth) : this.#readList(depth);
    }
    const number = this.#take('number');
    if (number !== null) return number.endsWith('n') ? number.slice(0, -1) : Number(number);
    const word = this.#take('word');
    if (word !== null) return words.get(word);
    throw this.#fail('not a value as console.dir prints it');
  }

  expectEnd(): void {
    this.#take('space');
    if (this.#at < this.#text.length) throw this.#fail('more behind the end');
  }

  #readObject(depth: number): unknown {
    const entries: [string, unknown][] = [];
    this.#at += 1;
    while (!this.#closes('}')) {
      if (this.#take('moreItems') !== null) continue;
      const key = this.#readKey();
      if (this.#take('colon') === null) throw this.#fail('expected a colon');
      entries.push([key, this.readValue(depth + 1)]);
      this.#separate('}');
    }
    return Object.fromEntries(entries);
  }

  #readList(depth: number): unknown {
    const elements: unknown[] = [];
    this.#at += 1;
    while (!this.#closes(']')) {
      if (this.#take('moreItems') === null && this.#take('emptyItems') === null) {
        elements.push(this.readValue(depth + 1));
      }
      this.#separate(']');
    }
    return elements;
  }

  #readKey(): string {
    const string = this.#readString();
    if (string !== null) return string;
    const key = this.#take('key');
    if (key !== null) return key;
    const bracketed = this.#take('bracketedKey') === null ? null : this.#readString();
    if (bracketed === null || !this.#closes(']')) throw this.#fail('expected a key');
    return bracketed;
  }

  #readString(): string | null {
    const first = this.#take('string');
    if (first === null) return null;
    let text = unquote(first);
    while (this.#match('goesOn') !== null) text += unquote(this.#match('string') ?? '');
    this.#match('cutString');
    return text;
  }

  #closes(bracket: '}' | ']'): boolean {
    this.#take('space');
    if (this.#text[this.#at] !== bracket) return false;
    this.#at += 1;
    return true;
  }

  #separate(bracket: '}' | ']'): void {
    if (this.#take('comma') !== null) return;
    this.#take('space');
    if (this.#text[this.#at] !== bracket) throw this.#fail('expected a comma');
  }

  /** Skips white space and matches the pattern. Without a match the position stays. */
  #take(pattern: keyof typeof patterns): string | null {
    const before = this.#at;
    this.#match('space');
    const found = this.#match(pattern);
    if (found === null) this.#at = before;
    return found;
  }

  #match(name: keyof typeof patterns): string | null {
    const pattern = patterns[name];
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? null;
    if (found !== null) this.#at += found.length;
    return found;
  }

  #fail(reason: string): DecodeError {
    this.#take('space');
    return new DecodeError(
      `character ${this.#at}: ${reason}, at ${quoteValue(this.#text.slice(this.#at, this.#at + 12))}`,
    );
  }
}

const escapes: ReadonlyMap<string, string> = new Map([
  ...[['n', '\n'] as const, ['t', '\t'] as const, ['r', '\r'] as const],
  ...[['b', '\b'] as const, ['f', '\f'] as const, ['v', '\v'] as const],
]);

function unquote(quoted: string): string {
  return quoted
    .slice(1, -1)
    .replace(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))/gs, (_, byte, unit, other) => {
      const code: unknown = byte ?? unit;
      if (typeof code === 'string') return String.fromCharCode(Number.parseInt(code, 16));
      return escapes.get(String(other)) ?? String(other);
    });
}
