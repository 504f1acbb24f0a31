import { DecodeError } from './decode-error.ts';
import { isFramed } from './frames.ts';
import { isObject } from './otlp-json-value.ts';
import { parseJson } from './parse-json.ts';
import type { PieceFormat } from './piece-reader.ts';
import { isSpace } from './white-space.ts';

/** Whether the bytes are taken for one export request in protobuf, and for nothing else. */
export function isSingleRequest(bytes: Uint8Array): boolean {
  return bytes[0] === resourceSpansTag && !['', '{', '[', '<'].includes(firstCharacter(bytes));
}

/**
 * Decides from the beginning of a file whether it is read piece by piece, and in which format.
 * @param isEnd Whether `head` is the whole file.
 * @returns Null for a file that is read as a whole; undefined when a longer beginning is needed.
 */
export function detectPieceFormat(head: Uint8Array, isEnd: boolean): PieceFormat | null | undefined {
  const first = firstCharacter(head);
  if (!isEnd && (head.length <= 4 || first === '')) return undefined;
  if (head[0] === resourceSpansTag || first === '[') return null;
  if (first !== '{') return isFramed(head) ? 'otlp-protobuf' : null;
  const line = readFirstLine(head);
  if (line === undefined && !isEnd) return undefined;
  return isObject(line) && exportFields.some((field) => Object.hasOwn(line, field)) ? 'json-lines' : null;
}

/** Fields of OTLP export requests. The Collector's file exporter may write all signals to one file. */
const exportFields = ['resourceSpans', 'resourceMetrics', 'resourceLogs'];

/** Field 1, length-delimited: the first byte of an export request. A text may begin with the same byte, as a line break. */
export const resourceSpansTag = 0x0a;
const newline = 0x0a;

/** Parses the first line. Undefined when the line is not a whole JSON document, or nothing follows it. */
export function readFirstLine(bytes: Uint8Array): unknown {
  const start = findText(bytes);
  const end = bytes.indexOf(newline, start);
  if (end < 0 || findText(bytes, end) === bytes.length) return undefined;
  try {
    return parseJson(bytes.subarray(start, end));
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** The offset of the first byte that is not white space. */
function findText(bytes: Uint8Array, from = 0): number {
  let at = from;
  while (at < bytes.length && isSpace(bytes[at] ?? 0)) at += 1;
  return at;
}

/** The first character that is not white space, after a byte order mark if there is one. */
export function firstCharacter(bytes: Uint8Array): string {
  const byte = bytes[findText(bytes, bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0)];
  return byte === undefined ? '' : String.fromCharCode(byte);
}
