import { isUtf8 } from 'node:buffer';
import type { SpanWriter } from '../span/span-writer.ts';
import { sourceOf } from '../span/value-table.ts';
import { decodeLine, prefixLine, splitLines } from './json-lines.ts';
import { OtlpJsonScanner } from './scan-otlp-json.ts';

/** Reads OTLP JSON Lines into columns: each line with the scanner, and with the strict decoder where that refuses. */
export class OtlpLinesReader {
  readonly #writer: SpanWriter;
  readonly #scanner: OtlpJsonScanner;

  constructor(writer: SpanWriter) {
    this.#writer = writer;
    this.#scanner = new OtlpJsonScanner(writer);
  }

  /**
   * @param bytes Whole lines; only the last of all may have no line break.
   * @throws {DecodeError} as `decodeJsonLines`, with the line counted from the first of `bytes`. The lines before it are written.
   */
  read(bytes: Uint8Array): void {
    const source = sourceOf(bytes);
    const isText = isUtf8(bytes);
    for (const { start, end, number, isCutOff } of splitLines(bytes)) {
      if (isText && this.#scanner.scan(source, start, end)) continue;
      try {
        for (const span of decodeLine(bytes.subarray(start, end), isCutOff)) this.#writer.addSpan(span);
      } catch (error) {
        throw prefixLine(number, error);
      }
    }
  }
}
