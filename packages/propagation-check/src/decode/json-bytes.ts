import type { ByteSource } from '../span/byte-source.ts';

/**
 * The bytes are not what a fast reader expects. The error has no message and no place: the strict decoder reads the bytes again and
 * reports both.
 */
export class Refusal extends Error {}
const refusal = new Refusal();

export function refuse(): never {
  throw refusal;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

export const sign = { quote, comma, colon, openBrace, closeBrace, openBracket, closeBracket } as const;

/** Deeper values are left to the strict decoder. */
const deepest = 64;

/**
 * Walks over JSON in UTF-8 bytes, without creating values. Methods take the offset of a token and return the offset after it. All throw
 * `Refusal` where the bytes are not JSON. Strings are searched four bytes at a time.
 */
export class JsonBytes {
  source: ByteSource;
  /** Whether a string that was skipped since this field was reset has a backslash. */
  hasEscape = false;

  constructor(source: ByteSource) {
    this.source = source;
  }

  /** The offset of the next token. */
  skipSpace(start: number): number {
    const { bytes } = this.source;
    let at = start;
    for (
      let byte = bytes[at];
      byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
      byte = bytes[at]
    )
      at += 1;
    return at;
  }

  /** @param at After a member's key. @returns The offset of its value. */
  skipColon(at: number): number {
    const { bytes } = this.source;
    const start = bytes[at] === colon ? at : this.skipSpace(at);
    if (bytes[start] !== colon) refuse();
    const next = bytes[start + 1] ?? 0;
    return next > 0x20 ? start + 1 : this.skipSpace(start + 1);
  }

  /** @param at After an element or a member. @returns The offset of the next one, or of the closing bracket or brace. */
  skipComma(at: number, close: number): number {
    const { bytes } = this.source;
    const start = (bytes[at] ?? 0) > 0x20 ? at : this.skipSpace(at);
    if (bytes[start] === close) return start;
    if (bytes[start] !== comma) refuse();
    const next = (bytes[start + 1] ?? 0) > 0x20 ? start + 1 : this.skipSpace(start + 1);
    if (bytes[next] === close) refuse();
    return next;
  }

  /** @param at At an opening bracket or brace. @returns The offset of the first element or member, or of the closing bracket or brace. */
  open(at: number, sign: number): number {
    const { bytes } = this.source;
    if (bytes[at] !== sign) refuse();
    return (bytes[at + 1] ?? 0) > 0x20 ? at + 1 : this.skipSpace(at + 1);
  }

  /** @param start After the opening quote. @returns The offset of the closing quote. */
  findQuote(start: number): number {
    const { bytes, view } = this.source;
    const lastWord = bytes.length - 4;
    let at = start;
    for (;;) {
      // (word - 0x01…) & ~word sets the high bit of every zero byte. It may set others only above a zero byte, so the lowest bit is
      // right.
      while (at <= lastWord) {
        const word = view.getInt32(at, true);
        const quotes = word ^ 0x22222222;
        const backslashes = word ^ 0x5c5c5c5c;
        const found =
          (((quotes - 0x01010101) & ~quotes) |
            ((backslashes - 0x01010101) & ~backslashes) |
            ((word - 0x20202020) & ~word)) &
          -0x7f7f7f80;
        if (found !== 0) {
          at += (31 - Math.clz32(found & -found)) >> 3;
          break;
        }
        at += 4;
      }
      const byte = bytes[at] ?? 0;
      if (byte === quote) return at;
      if (byte < 0x20) refuse();
      at = byte === backslash ? this.#skipEscape(at + 1) : at + 1;
    }
  }

  skipValue(at: number, depth = 0): number {
    const byte = this.source.bytes[at] ?? 0;
    if (byte === quote) return this.findQuote(at + 1) + 1;
    if (byte === openBrace) return this.#skipObject(at, depth);
    if (byte === openBracket) return this.#skipArray(at, depth);
    if (byte === 0x74) return this.skipWord(at, 'true');
    if (byte === 0x66) return this.skipWord(at, 'false');
    if (byte === 0x6e) return this.skipWord(at, 'null');
    return this.skipNumber(at);
  }

  skipWord(start: number, word: string): number {
    const { bytes } = this.source;
    for (let index = 0; index < word.length; index += 1)
      if (bytes[start + index] !== word.charCodeAt(index)) refuse();
    return start + word.length;
  }

  skipNumber(start: number): number {
    const { bytes } = this.source;
    let at = bytes[start] === 0x2d ? start + 1 : start;
    if (bytes[at] === 0x30) at += 1;
    else at = this.skipDigits(at);
    if (bytes[at] === 0x2e) at = this.skipDigits(at + 1);
    if (bytes[at] === 0x65 || bytes[at] === 0x45) {
      const exponent = bytes[at + 1];
      at = this.skipDigits(exponent === 0x2b || exponent === 0x2d ? at + 2 : at + 1);
    }
    return at;
  }

  /** Skips an integer in the form in which JavaScript prints it. @returns -1 when it has more than 15 digits or a zero in front. */
  skipInteger(start: number): number {
    const { bytes } = this.source;
    const digits = bytes[start] === 0x2d ? start + 1 : start;
    const end = this.skipDigits(digits);
    return end - digits > 15 || (bytes[digits] === 0x30 && end - start > 1) ? -1 : end;
  }

  /** Refuses when there is no digit. */
  skipDigits(start: number): number {
    const { bytes } = this.source;
    let at = start;
    for (let byte = bytes[at] ?? 0; byte >= 0x30 && byte <= 0x39; byte = bytes[at] ?? 0) at += 1;
    if (at === start) refuse();
    return at;
  }

  text(start: number, end: number): string {
    const { bytes } = this.source;
    return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
  }

  /** A key for a cache of texts: one character for each byte. */
  key(start: number, end: number): string {
    const { bytes } = this.source;
    return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
  }

  parse(start: number, end: number): unknown {
    return JSON.parse(this.text(start, end));
  }

  #skipObject(start: number, depth: number): number {
    if (depth === deepest) refuse();
    const { bytes } = this.source;
    let at = this.open(start, openBrace);
    while (bytes[at] !== closeBrace) {
      if (bytes[at] !== quote) refuse();
      at = this.skipColon(this.findQuote(at + 1) + 1);
      at = this.skipComma(this.skipValue(at, depth + 1), closeBrace);
    }
    return at + 1;
  }

  #skipArray(start: number, depth: number): number {
    if (depth === deepest) refuse();
    const { bytes } = this.source;
    let at = this.open(start, openBracket);
    while (bytes[at] !== closeBracket) at = this.skipComma(this.skipValue(at, depth + 1), closeBracket);
    return at + 1;
  }

  #skipEscape(at: number): number {
    this.hasEscape = true;
    const { bytes } = this.source;
    const byte = bytes[at] ?? 0;
    if (byte !== 0x75) return simpleEscapes.has(byte) ? at + 1 : refuse();
    for (let digit = at + 1; digit <= at + 4; digit += 1) if (!isHexDigit(bytes[digit] ?? 0)) refuse();
    return at + 5;
  }
}

const simpleEscapes: ReadonlySet<number> = new Set(Buffer.from('"\\/bfnrt'));

function isHexDigit(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}

/** Eight hex digits as a signed word. */
export function readHexWord(view: DataView, at: number): number {
  return (readHexHalf(view.getInt32(at, true)) << 16) | readHexHalf(view.getInt32(at + 4, true));
}

/** Reads 32 hex digits, not all zero, into the words of a row. */
export function readTraceId(view: DataView, at: number, words: Uint32Array, row: number): void {
  const first = readHexWord(view, at);
  const second = readHexWord(view, at + 8);
  const third = readHexWord(view, at + 16);
  const fourth = readHexWord(view, at + 24);
  if ((first | second | third | fourth) === 0) refuse();
  words[row * 4] = first;
  words[row * 4 + 1] = second;
  words[row * 4 + 2] = third;
  words[row * 4 + 3] = fourth;
}

/** Reads four hex digits at once: one digit from each byte, checked by converting them back. */
function readHexHalf(word: number): number {
  const digits = (word & 0x0f0f0f0f) + ((word >> 6) & 0x01010101) * 9;
  const letters = ((digits + 0x06060606) >> 4) & 0x01010101;
  if ((digits & -0x0f0f0f10) !== 0 || digits + 0x30303030 + letters * 0x27 !== (word | (letters << 5)))
    refuse();
  return ((digits & 0xf) << 12) | (digits & 0xf00) | ((digits >> 12) & 0xf0) | (digits >> 24);
}

/** Reads four decimal digits at once. */
function readFourDigits(view: DataView, at: number): number {
  const word = view.getInt32(at, true);
  if (((word & -0x0f0f0f10) ^ 0x30303030) !== 0 || (((word + 0x06060606) & -0x0f0f0f10) ^ 0x30303030) !== 0)
    refuse();
  return (word & 0xf) * 1000 + ((word >> 8) & 0xf) * 100 + ((word >> 16) & 0xf) * 10 + ((word >> 24) & 0xf);
}

/** The number of digits of a time in nanoseconds since the Unix epoch, from 2001 to 2286. */
export const timeDigits = 19;

/** The whole seconds of a time of `timeDigits` digits. */
export function readSeconds(view: DataView, at: number): number {
  const middle = readFourDigits(view, at + 8);
  return readFourDigits(view, at) * 1_000_000 + readFourDigits(view, at + 4) * 100 + Math.floor(middle / 100);
}

/** The nanoseconds within the second: the last nine digits of a time. */
export function readNanoseconds(view: DataView, at: number): number {
  return (
    (readFourDigits(view, at + 8) % 100) * 10_000_000 +
    readFourDigits(view, at + 12) * 1_000 +
    (readFourDigits(view, at + 15) % 1_000)
  );
}
