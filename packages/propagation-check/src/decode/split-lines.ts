const newline = 0x0a;

export interface Line {
  readonly start: number;
  /** Without the line break. */
  readonly end: number;
  /** Counted from 1. */
  readonly number: number;
  /** The last line, and without a line break. */
  readonly isCutOff: boolean;
}

/** Yields all lines that are not blank. @returns The number of all lines. */
export function* splitLines(bytes: Uint8Array): Generator<Line, number> {
  // `indexOf` of a plain Uint8Array is several times slower.
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let start = 0;
  let number = 1;
  for (; start < bytes.length; number += 1) {
    const found = buffer.indexOf(newline, start);
    const end = found < 0 ? bytes.length : found;
    if (!isBlank(bytes, start, end)) yield { start, end, number, isCutOff: found < 0 };
    start = end + 1;
  }
  return number - 1;
}

function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false;
  }
  return true;
}
