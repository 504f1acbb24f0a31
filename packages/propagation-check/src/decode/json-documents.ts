import { checkMemory } from './check-memory.ts';
import { DecodeError, reword } from './decode-error.ts';
import { parseJson } from './parse-json.ts';
import { readDocument } from './read-document.ts';
import type { Reading } from './reading.ts';
import { isSpace } from './white-space.ts';

const newline = 0x0a;
const quote = 0x22;
const backslash = 0x5c;
const open = { brace: 0x7b, bracket: 0x5b } as const;
const close = { brace: 0x7d, bracket: 0x5d } as const;

/**
 * Decodes one JSON document, or several with only white space between them, as `cat a.json b.json` joins them.
 * @throws {DecodeError} with the path or the byte offset; for several documents also with the line in which the document begins.
 */
export function decodeJsonDocuments(bytes: Uint8Array): readonly Reading[] {
  const firstEnd = findDocumentEnd(bytes, 0);
  const rest = bytes.subarray(firstEnd);
  const next = rest[leadingSpace(rest).length];
  if (next !== open.brace && next !== open.bracket) return readDocument(parseJson(bytes));
  checkMemory(bytes, 'json');
  const readings: Reading[] = [];
  for (let start = 0, line = 1, number = 1; start < bytes.length; number += 1) {
    const end = findDocumentEnd(bytes, start);
    const document = bytes.subarray(start, end);
    if (isBlank(document)) break;
    try {
      for (const reading of readDocument(parseJson(document))) readings.push(reading);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      const from = line + countLines(leadingSpace(document));
      const message = `document ${number} (from line ${from}): ${error.message}`;
      throw number === 1 ? reword(error, message) : new DecodeError(message);
    }
    line += countLines(document);
    start = end;
  }
  return readings;
}

/** The offset after the bracket that closes the first one from `start` on; the end of the bytes if there is none. */
function findDocumentEnd(bytes: Uint8Array, start: number): number {
  let depth = 0;
  let isString = false;
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (isString) {
      if (byte === backslash) at += 1;
      else if (byte === quote) isString = false;
    } else if (byte === quote) isString = true;
    else if (byte === open.brace || byte === open.bracket) depth += 1;
    else if (byte === close.brace || byte === close.bracket) {
      depth -= 1;
      if (depth <= 0) return at + 1;
    }
  }
  return bytes.length;
}

function isBlank(bytes: Uint8Array): boolean {
  return leadingSpace(bytes).length === bytes.length;
}

function leadingSpace(bytes: Uint8Array): Uint8Array {
  const end = bytes.findIndex((byte) => !isSpace(byte));
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) lines += 1;
  return lines;
}
