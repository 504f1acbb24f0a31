import { type ByteSource, discard } from './byte-source.ts';
import type { AttributeValue } from './span.ts';

/** How a value is encoded as bytes. */
export const valueType = {
  /** UTF-8. */
  text: 0,
  /** UTF-16, for a text that is not well-formed Unicode. */
  wideText: 1,
  /** In the notation of JavaScript. */
  number: 2,
  /** `true` or `false`. */
  boolean: 3,
  /** JSON, see `encodeList`. */
  list: 4,
} as const;
export const typeBits = 3;
/** Characters up to this one are a single byte in UTF-8. */
const lastAscii = 0x7f;
const slash = 0x2f;
const questionMark = 0x3f;
const numberSign = 0x23;
export const headerBytes = 4;

/** Values one after the other: length and type in four bytes, the encoded value, and zeros up to the next multiple of four. */
export class Arena {
  bytes = new Uint8Array(4_096);
  view = new DataView(this.bytes.buffer);
  /** The same bytes, for decoding texts without a view of each. */
  #texts = Buffer.from(this.bytes.buffer);
  length = 0;

  append({ bytes: source, view: from }: ByteSource, start: number, end: number, header: number): number {
    const at = this.length;
    this.reserve(at + headerBytes + end - start + headerBytes);
    const { bytes, view } = this;
    view.setInt32(at, header, true);
    let to = at + headerBytes;
    let next = start;
    for (const words = end - 3; next < words; next += 4, to += 4)
      view.setInt32(to, from.getInt32(next, true), true);
    this.length = align(to + end - next);
    for (; next < end; next += 1, to += 1) bytes[to] = source[next] ?? 0;
    // Bytes of a batch that was taken may stand there.
    for (; to < this.length; to += 1) bytes[to] = 0;
    return at;
  }

  appendAll(values: Uint8Array): number {
    const at = this.length;
    this.reserve(at + values.length);
    this.bytes.set(values, at);
    this.length += values.length;
    return at;
  }

  equals(at: number, header: number, source: ByteSource, start: number, end: number): boolean {
    return this.view.getUint32(at, true) === header && this.match(at, source, start) === end;
  }

  /** See `ValueTable.matchInterned`. */
  match(at: number, source: ByteSource, start: number): number {
    const end = start + (this.view.getUint32(at, true) >>> typeBits);
    if (end > source.bytes.length) return -1;
    const words = end - 3;
    let own = at + headerBytes;
    let other = start;
    for (; other < words; own += 4, other += 4)
      if (this.view.getInt32(own, true) !== source.view.getInt32(other, true)) return -1;
    for (; other < end; own += 1, other += 1) if (this.bytes[own] !== source.bytes[other]) return -1;
    return end;
  }

  /** See `Values.hasOtherEnd`. */
  hasOtherEnd(at: number, end: string): boolean {
    const header = this.view.getUint32(at, true);
    const start = at + headerBytes;
    if ((header & 7) !== valueType.text || this.bytes[start] !== slash) return false;
    let last = start + 1;
    for (const { bytes } = this, behind = start + (header >>> typeBits); last < behind; last += 1)
      if (bytes[last] === questionMark || bytes[last] === numberSign) break;
    if (this.bytes[last - 1] === slash) last -= 1;
    for (let place = 1; place <= end.length; place += 1) {
      const code = end.charCodeAt(end.length - place);
      if (code > lastAscii) return false;
      if (last - place < start || this.bytes[last - place] !== code) return true;
    }
    return false;
  }

  reserve(length: number): void {
    if (length <= this.bytes.length) return;
    const bytes = new Uint8Array(Math.max(length, this.bytes.length * 2));
    bytes.set(this.bytes.subarray(0, this.length));
    discard(this.bytes.buffer);
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
    this.#texts = Buffer.from(bytes.buffer);
  }

  decode(at: number): AttributeValue {
    const header = this.view.getUint32(at, true);
    const start = at + headerBytes;
    const end = start + (header >>> typeBits);
    switch (header & 7) {
      case valueType.text:
        return this.#texts.toString('utf8', start, end);
      case valueType.wideText:
        return this.#texts.toString('utf16le', start, end);
      case valueType.number:
        return Number(this.#texts.toString('latin1', start, end));
      case valueType.boolean:
        return end - start === 'true'.length;
      default:
        return decodeList(this.#texts.toString('utf8', start, end));
    }
  }
}

export function align(offset: number): number {
  const rest = offset % headerBytes;
  return rest === 0 ? offset : offset + headerBytes - rest;
}

/** Unlike `String`, distinguishes -0 from 0. */
export function writeNumber(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** JSON. A number that JSON cannot represent becomes an object, which a list of attribute values never contains. */
export function encodeList(list: readonly AttributeValue[]): string {
  return JSON.stringify(list, (_key, value: unknown) =>
    typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
      ? { number: writeNumber(value) }
      : value,
  );
}

function decodeList(json: string): AttributeValue {
  return JSON.parse(json, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && 'number' in value ? Number(value.number) : value,
  );
}
