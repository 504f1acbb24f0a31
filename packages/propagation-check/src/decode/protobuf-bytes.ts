import { isUtf8 } from 'node:buffer';
import type { ByteSource } from '../span/byte-source.ts';
import { refuse } from './json-bytes.ts';

export const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Deeper messages are left to the strict decoder. */
const deepest = 20;

/** The fields of a message by number: the type of the field, or the shape of its message. Other fields are unknown. */
export type Shape = ReadonlyMap<number, 'text' | 'bytes' | 'varint' | 'fixed32' | 'fixed64' | Shape>;

const wireTypes = {
  text: wire.bytes,
  bytes: wire.bytes,
  varint: wire.varint,
  fixed32: wire.fixed32,
  fixed64: wire.fixed64,
} as const;

/**
 * Reads protobuf's wire format from bytes, without creating messages.
 * All methods throw `Refusal` for bytes that are malformed or unusual (groups).
 */
export class ProtobufBytes {
  source: ByteSource;
  /** The offset of the next token. */
  at = 0;

  constructor(source: ByteSource) {
    this.source = source;
  }

  /** Reads a varint of up to 49 bits (seven bytes). */
  varint(): number {
    const { bytes } = this.source;
    const first = bytes[this.at] ?? refuse();
    this.at += 1;
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let factor = 0x80; factor <= 2 ** 42; factor *= 0x80) {
      const byte = bytes[this.at] ?? refuse();
      this.at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    return refuse();
  }

  /** Reads the tag of a field: number * 8 + wire type. */
  tag(): number {
    const tag = this.#shortVarint();
    if (tag < 8 || tag > 0xffff_ffff) refuse();
    return tag;
  }

  /**
   * Reads the length of a length-delimited field, which then begins at `at`. @param limit The end of the enclosing message. @returns The
   * end of the field.
   */
  length(limit: number): number {
    const length = this.#shortVarint();
    const end = this.at + length;
    if (end > limit) refuse();
    return end;
  }

  /** Reads a varint of up to five bytes. */
  #shortVarint(): number {
    const start = this.at;
    const value = this.varint();
    return this.at - start <= 5 ? value : refuse();
  }

  /** Skips a field that the shape of its message does not have. */
  skipUnknown(tag: number, limit: number): void {
    const type = tag % 8;
    if (type === wire.varint) this.skipVarint();
    else if (type === wire.fixed64) this.at += 8;
    else if (type === wire.bytes) this.at = this.length(limit);
    else if (type === wire.fixed32) this.at += 4;
    else refuse();
    if (this.at > limit) refuse();
  }

  skipVarint(): void {
    const { bytes } = this.source;
    for (let count = 0; count < 10; count += 1) {
      const byte = bytes[this.at] ?? refuse();
      this.at += 1;
      if (byte < 0x80) return;
    }
    refuse();
  }

  /** Skips a message; refuses it if it does not have the shape. */
  skipMessage(shape: Shape, end: number, depth = 0): void {
    if (depth === deepest) refuse();
    while (this.at < end) {
      const tag = this.tag();
      const field = shape.get(Math.floor(tag / 8));
      if (field === undefined) {
        this.skipUnknown(tag, end);
        continue;
      }
      if (tag % 8 !== (typeof field === 'string' ? wireTypes[field] : wire.bytes)) refuse();
      if (field === 'text') this.skipText(this.length(end));
      else if (typeof field === 'string') this.skipUnknown(tag, end);
      else this.skipMessage(field, this.length(end), depth + 1);
    }
    if (this.at !== end) refuse();
  }

  /** Skips bytes that must be UTF-8. */
  skipText(end: number): void {
    const { view, bytes } = this.source;
    let at = this.at;
    let all = 0;
    for (const words = end - 3; at < words; at += 4) all |= view.getInt32(at, true);
    for (; at < end; at += 1) all |= bytes[at] ?? 0;
    if ((all & -0x7f7f7f80) !== 0 && !isUtf8(bytes.subarray(this.at, end))) refuse();
    this.at = end;
  }
}
