import type { Span } from '../span/span.ts';
import { checkMemory } from './check-memory.ts';
import { DecodeError } from './decode-error.ts';
import { decodeOtlpDocument } from './otlp-document.ts';
import { parseJson } from './parse-json.ts';

const newline = 0x0a;

/**
 * Decodes JSON Lines as the Collector's file exporter writes them: one OTLP/JSON export request a line.
 * Blank lines are skipped; lines with metrics or logs hold no spans.
 * @throws {DecodeError} that starts with the line, counted from 1. A last line that was cut off is an error too:
 *   what it held is unknown, and a check without it could blame a service for it.
 */
export function decodeJsonLines(bytes: Uint8Array): readonly Span[] {
  checkMemory(bytes, 'json');
  const spans: Span[] = [];
  for (const { line, number, isCutOff } of splitLines(bytes)) {
    try {
      for (const span of decodeOtlpDocument(parseJson(line)).spans) spans.push(span);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      const hint = isCutOff
        ? ' (the last line, without a line break: the file looks cut off; take it again after its writer has stopped, or remove this line)'
        : '';
      throw new DecodeError(`line ${number}: ${error.message}${hint}`);
    }
  }
  return spans;
}

interface Line {
  readonly line: Uint8Array;
  readonly number: number;
  /** The last line, and without a line break. */
  readonly isCutOff: boolean;
}

function* splitLines(bytes: Uint8Array): Generator<Line> {
  let start = 0;
  for (let number = 1; start < bytes.length; number += 1) {
    const found = bytes.indexOf(newline, start);
    const end = found < 0 ? bytes.length : found;
    const line = bytes.subarray(start, end);
    if (!isBlank(line)) yield { line, number, isCutOff: found < 0 };
    start = end + 1;
  }
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
