import type { Span } from '../span/span.ts';
import { checkMemory } from './check-memory.ts';
import { DecodeError, reword } from './decode-error.ts';
import { decodeOtlpDocument } from './otlp-document.ts';
import { parseJson } from './parse-json.ts';
import { splitLines } from './split-lines.ts';

/**
 * Decodes JSON Lines as the Collector's file exporter writes them: one OTLP/JSON export request on each line.
 * Blank lines are skipped; lines with metrics or logs hold no spans.
 * @throws {DecodeError} that starts with the line, counted from 1. A last line that was cut off is an error too: a service could be
 *   blamed for its missing spans.
 */
export function decodeJsonLines(bytes: Uint8Array): readonly Span[] {
  checkMemory(bytes, 'json');
  const spans: Span[] = [];
  for (const { start, end, number, isCutOff } of splitLines(bytes)) {
    try {
      for (const span of decodeLine(bytes.subarray(start, end), isCutOff)) spans.push(span);
    } catch (error) {
      throw prefixLine(number, error);
    }
  }
  return spans;
}

/**
 * The spans of one line.
 * @param isCutOff The last line, and without a line break.
 * @throws {DecodeError}
 */
export function decodeLine(line: Uint8Array, isCutOff: boolean): readonly Span[] {
  return readLine(line, isCutOff, (document) => decodeOtlpDocument(document).spans);
}

/** As `decodeLine`, for lines of any format. */
export function readLine<T>(line: Uint8Array, isCutOff: boolean, read: (document: unknown) => T): T {
  try {
    return read(parseJson(line));
  } catch (error) {
    if (!isCutOff || !(error instanceof DecodeError)) throw error;
    throw new DecodeError(
      `${error.message} (the last line, without a line break: the file looks cut off; take it again after its writer has stopped, or remove this line)`,
    );
  }
}

/** Puts the line in front of the error's message. @param number Counted from 1. */
export function prefixLine(number: number, error: unknown): unknown {
  if (!(error instanceof DecodeError)) return error;
  const message = `line ${number}: ${error.message}`;
  // A fault in a later line is an error in a recognised file, not foreign content.
  return number === 1 ? reword(error, message) : new DecodeError(message);
}
