import { isUtf8 } from 'node:buffer';
import { sourceOf } from '../span/byte-source.ts';
import type { SpanWriter } from '../span/span-writer.ts';
import { DecodeError } from './decode-error.ts';
import { PieceError, type PieceReader } from './piece-reader.ts';
import { OtlpJsonScanner } from './scan-otlp-json.ts';
import { splitLines } from './split-lines.ts';

/**
 * Reads OTLP JSON Lines into columns: each line with the scanner, or with the strict decoder where the scanner refuses. The strict
 * decoder is loaded only then: most files do not need it.
 */
export class OtlpLinesReader implements PieceReader {
  readonly #writer: SpanWriter;
  readonly #scanner: OtlpJsonScanner;

  constructor(writer: SpanWriter) {
    this.#writer = writer;
    this.#scanner = new OtlpJsonScanner(writer);
  }

  /** @param bytes Whole lines; only the last line of the file may lack its line break. */
  async read(bytes: Uint8Array): Promise<number> {
    const source = sourceOf(bytes);
    const isText = isUtf8(bytes);
    const lines = splitLines(source.bytes);
    let next = lines.next();
    for (; next.done !== true; next = lines.next()) {
      const { start, end, number, isCutOff } = next.value;
      if (isText && this.#scanner.scan(source, start, end)) continue;
      const { decodeLine } = await import('./json-lines.ts');
      try {
        for (const span of decodeLine(source.bytes.subarray(start, end), isCutOff))
          this.#writer.addSpan(span);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        throw new PieceError(number, error.message);
      }
    }
    return next.value;
  }
}
