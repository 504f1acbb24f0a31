import type { Span } from '../span/span.ts';
import { DecodeError } from './decode-error.ts';
import { decodeFramedProtobuf, isFramed } from './framed-protobuf.ts';
import { gunzip, isGzip } from './gunzip.ts';
import { decodeJaegerJson } from './jaeger-json.ts';
import { decodeJsonLines } from './json-lines.ts';
import { mapWithPath } from './map-with-path.ts';
import { decodeOtlpDocument } from './otlp-document.ts';
import { isObject } from './otlp-json-value.ts';
import { decodeOtlpProtobuf } from './otlp-protobuf.ts';
import { parseJson } from './parse-json.ts';
import type { PieceFormat } from './piece-reader.ts';
import { decodeZipkinJson } from './zipkin-json.ts';
import { isZipkinV1 } from './zipkin-v1.ts';

export type Format =
  | 'otlp-json'
  | 'json-lines'
  | 'otlp-protobuf'
  | 'jaeger-v1'
  | 'jaeger-v3'
  | 'tempo'
  | 'zipkin';

export interface Decoded {
  readonly format: Format;
  readonly spans: readonly Span[];
}

/**
 * Decodes spans whose format is recognised by content, uncompressing gzip first.
 * @param maxBytes Of the uncompressed data.
 * @throws {DecodeError} as `decodeBytes`, and when the data is not proper gzip or too large.
 */
export async function decodeCompressed(bytes: Uint8Array, maxBytes: number): Promise<Decoded> {
  return decodeBytes(isGzip(bytes) ? await gunzip(bytes, maxBytes) : bytes);
}

/**
 * Decodes spans whose format is recognised by content: OTLP JSON, JSON Lines, OTLP protobuf (one export request, or
 * several with a length in front as the Collector's file exporter writes them), Jaeger's API v1 and v3, Tempo's, Zipkin v2.
 * @throws {DecodeError} with the path, line or byte offset of what is wrong; also when no format is recognised.
 */
export function decodeBytes(bytes: Uint8Array): Decoded {
  refuseKnownOthers(bytes);
  const first = firstCharacter(bytes);
  if (first === '{' || first === '[') return decodeText(bytes);
  if (bytes[0] === resourceSpansTag) return { format: 'otlp-protobuf', spans: decodeOtlpProtobuf(bytes) };
  if (isFramed(bytes)) return { format: 'otlp-protobuf', spans: decodeFramedProtobuf(bytes) };
  throw new DecodeError(
    `byte 0: no format is recognised; expected OTLP JSON, JSON Lines, OTLP protobuf, Jaeger JSON, Tempo JSON or Zipkin v2 JSON`,
  );
}

/** Whether the bytes are taken for one export request in protobuf, and for nothing else. */
export function isSingleRequest(bytes: Uint8Array): boolean {
  return bytes[0] === resourceSpansTag && !['', '{', '[', '<'].includes(firstCharacter(bytes));
}

/**
 * Whether a file is read piece by piece, by its beginning: null where it is read as a whole, undefined where more of it has to be known.
 * @param isEnd Whether this is the whole file.
 */
export function detectPieceFormat(head: Uint8Array, isEnd: boolean): PieceFormat | null | undefined {
  const first = firstCharacter(head);
  if (!isEnd && (head.length <= 4 || first === '')) return undefined;
  if (head[0] === resourceSpansTag || first === '[') return null;
  if (first !== '{') return isFramed(head) ? 'otlp-protobuf' : null;
  const firstLine = head.indexOf(newline, findText(head));
  const isFollowed = firstLine >= 0 && findText(head, firstLine) < head.length;
  if (!isFollowed && !isEnd) return undefined;
  return isLines(head) ? 'json-lines' : null;
}

/** Field 1, length-delimited: how an export request begins. Also the line break that may begin a text. */
const resourceSpansTag = 0x0a;
const newline = 0x0a;

function refuseKnownOthers(bytes: Uint8Array): void {
  if (findText(bytes) === bytes.length) throw new DecodeError('byte 0: empty');
  if (firstCharacter(bytes) === '<') throw new DecodeError('byte 0: this is a web page or XML, not spans');
  if (Buffer.from(bytes.subarray(0, 4)).equals(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]))) {
    throw new DecodeError('byte 0: compressed with zstd; uncompress it first (zstd -d)');
  }
  if (isGzip(bytes)) throw new DecodeError('byte 0: compressed with gzip twice');
  // UTF-16 is reported as such by the reader of JSON.
  if (bytes[0] === 0xff || bytes[0] === 0xfe) parseJson(bytes);
}

function decodeText(bytes: Uint8Array): Decoded {
  try {
    return decodeLinesOrDocument(bytes);
  } catch (error) {
    // An export request whose first element has 91 or 123 bytes looks like a line break and a bracket.
    if (bytes[0] !== resourceSpansTag || !(error instanceof DecodeError)) throw error;
    try {
      return { format: 'otlp-protobuf', spans: decodeOtlpProtobuf(bytes) };
    } catch {
      throw error;
    }
  }
}

function decodeLinesOrDocument(bytes: Uint8Array): Decoded {
  if (isLines(bytes)) return { format: 'json-lines', spans: decodeJsonLines(bytes) };
  return decodeDocument(parseJson(bytes));
}

/** Whether the first line is a JSON object of its own, or a trace of Zipkin v1, which is to be refused, and more follows. */
function isLines(bytes: Uint8Array): boolean {
  const start = findText(bytes);
  const end = bytes.indexOf(newline, start);
  if (end < 0 || findText(bytes, end) === bytes.length) return false;
  try {
    const line = parseJson(bytes.subarray(start, end));
    return isObject(line) || isZipkinV1(line);
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

function decodeDocument(document: unknown): Decoded {
  if (Array.isArray(document)) {
    const isOtlp = isObject(document[0]) && Object.hasOwn(document[0], 'resourceSpans');
    if (!isOtlp) return { format: 'zipkin', spans: decodeZipkinJson(document) };
    return { format: 'otlp-json', spans: mapWithPath(document, '', decodeOtlpSpans).flat() };
  }
  if (isObject(document) && (Object.hasOwn(document, 'data') || Object.hasOwn(document, 'processes'))) {
    return { format: 'jaeger-v1', spans: decodeJaegerJson(document) };
  }
  return decodeOtlpDocument(document);
}

function decodeOtlpSpans(document: unknown): readonly Span[] {
  return decodeOtlpDocument(document).spans;
}

/** The offset of the first byte that is not white space. */
function findText(bytes: Uint8Array, from = 0): number {
  let at = from;
  while (at < bytes.length && isSpace(bytes[at] ?? 0)) at += 1;
  return at;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/** The first character that is not white space, after a byte order mark if there is one. */
function firstCharacter(bytes: Uint8Array): string {
  const byte = bytes[findText(bytes, bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0)];
  return byte === undefined ? '' : String.fromCharCode(byte);
}
