import { isUtf8 } from 'node:buffer';
import { checkMemory } from './check-memory.ts';
import { DecodeError } from './decode-error.ts';
import { findJsonFault, type JsonFault } from './json-fault.ts';
import { quoteValue } from './quote-value.ts';

/**
 * Times of spans that are written as numbers. They are put in quotes, because `JSON.parse` would round them to 256 ns, and decoders
 * accept decimal strings too. Text inside a string does not match: its quotes have a backslash before them.
 */
const numericTime = /TimeUnixNano"\s*:\s*\d/;
const numericTimes = /(?<!\\)("(?:start|end)TimeUnixNano"\s*:\s*)([1-9]\d{15,19})(?=\s*[,}])/g;

/**
 * Parses UTF-8 bytes as JSON.
 * @throws {DecodeError} that starts with the byte offset of the fault; also when Node's memory does not suffice.
 */
export function parseJson(bytes: Uint8Array): unknown {
  checkMemory(bytes, 'json');
  const text = decodeUtf8(bytes);
  try {
    return JSON.parse(numericTime.test(text) ? text.replace(numericTimes, '$1"$2"') : text);
  } catch {
    throw toDecodeError(text, findFault(text), bytes.length - Buffer.byteLength(text));
  }
}

/** Decodes UTF-8, and leaves out a byte order mark. @throws {DecodeError} with the byte that is not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw new DecodeError(
      'byte 0: this text is UTF-16; save it as UTF-8 (PowerShell: Out-File -Encoding utf8)',
    );
  }
  if (!isUtf8(bytes)) throw new DecodeError(`byte ${findUtf8Fault(bytes)}: not UTF-8 text`);
  return new TextDecoder().decode(bytes);
}

/** Bisects: a prefix that ends within a character still counts as valid, so all prefixes before the fault do. */
function findUtf8Fault(bytes: Uint8Array): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    if (startsAsUtf8(bytes.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}

function startsAsUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

function findFault(text: string): JsonFault | null {
  try {
    return findJsonFault(text);
  } catch {
    return null; // A regular expression ran out of stack in a string of many megabytes.
  }
}

function toDecodeError(text: string, fault: JsonFault | null, byteOrderMark: number): DecodeError {
  if (fault === null) return new DecodeError('byte 0: not valid JSON');
  const byte = Buffer.byteLength(text.slice(0, fault.offset)) + byteOrderMark;
  if (fault.endsEarly) return new DecodeError(`byte ${byte}: the JSON ends early, as if it was cut off`);
  const at = quoteValue(text.slice(fault.offset, fault.offset + 12));
  return new DecodeError(`byte ${byte}: not valid JSON at ${at}${hintAt(text, fault.offset)}`);
}

/** Explains common faults of handwritten JSON and of printed objects that look like JSON. */
function hintAt(text: string, offset: number): string {
  const character = text[offset];
  const isTrailing =
    (character === ']' || character === '}') && /,\s*$/.test(text.slice(Math.max(0, offset - 200), offset));
  if (isTrailing) return ' (the comma before it is one too many; remove it)';
  if (character === ',') return ' (elements of a list without its brackets? put [ in front and ] behind)';
  if (character === "'") return ' (single quotes: printed by a program, and not written as JSON)';
  return '';
}
