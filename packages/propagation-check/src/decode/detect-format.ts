import { isUtf8 } from 'node:buffer';
import { checkMemory } from './check-memory.ts';
import { decodeCollectorDebug, isCollectorDebug } from './collector-debug.ts';
import { decodeConsole, withoutColours } from './decode-console.ts';
import { DecodeError, ForeignContentError, reword } from './decode-error.ts';
import { firstCharacter, readFirstLine, resourceSpansTag } from './detect-piece-format.ts';
import { decodeDotnetConsole, isDotnetConsole } from './dotnet-console.ts';
import { decodeFramedProtobuf, decodeRequestOfFile } from './framed-protobuf.ts';
import { isFramed } from './frames.ts';
import { gunzip, isGzip } from './gunzip.ts';
import { decodeJsonDocuments } from './json-documents.ts';
import { prefixLine, readLine } from './json-lines.ts';
import { listOtherSignals, type OtherSignal } from './other-signals.ts';
import { isObject } from './otlp-json-value.ts';
import { decodeUtf8 } from './parse-json.ts';
import { quoteValue } from './quote-value.ts';
import { readDocument } from './read-document.ts';
import { type Decoded, joinReadings, type Reading } from './reading.ts';
import { refuseOtherBytes } from './refuse-other-bytes.ts';
import { refuseBeginning, refuseOtherText } from './refuse-other-text.ts';
import { isLogRecord } from './refuse-other-tool.ts';
import { splitLines } from './split-lines.ts';
import { splitPrefixed, withoutTimestamps } from './split-prefixed.ts';
import { isZstd, unzstd } from './unzstd.ts';
import { isSpace } from './white-space.ts';
import { isZip, unzip } from './zip.ts';

export type { Decoded, Format } from './reading.ts';

/**
 * Decodes spans whose format is recognised by content, after uncompressing gzip, zip and zstd.
 * @param maxBytes Limit of the uncompressed size.
 * @throws {DecodeError} as `decodeBytes`, and when compressed data are damaged, cut off or too large.
 */
export async function decodeCompressed(bytes: Uint8Array, maxBytes: number): Promise<Decoded> {
  if (isZip(bytes)) return decodeZip(bytes, maxBytes);
  if (isZstd(bytes)) return decodeBytes(unzstd(bytes, maxBytes));
  return decodeBytes(isGzip(bytes) ? await gunzip(bytes, maxBytes) : bytes);
}

/**
 * Decodes spans whose format is recognised by content; the package's README lists the formats.
 * @throws {DecodeError} with the path, line or byte offset of the fault; also when no format is recognised, or one that cannot be read:
 *   then the message says how to get a readable one.
 */
export function decodeBytes(bytes: Uint8Array): Decoded {
  const { readings, notes } = readBytes(bytes);
  return withSignals(joinReadings(readings, notes), () => listOtherSignals(bytes));
}

function withSignals(decoded: Decoded, list: () => readonly OtherSignal[]): Decoded {
  if (decoded.spans.length > 0) return decoded;
  const otherSignals = list();
  return otherSignals.length === 0 ? decoded : { ...decoded, otherSignals };
}

interface Content {
  readonly readings: readonly Reading[];
  readonly notes: readonly string[];
}

/** The number of notes, and of names of unread files, that are reported for an archive. */
const mostNamed = 10;

/** Leaves out and names files of no known format: an archive often has logs of programs beside its traces. */
async function decodeZip(bytes: Uint8Array, maxBytes: number): Promise<Decoded> {
  const contents: Content[] = [];
  const leftOut: string[] = [];
  const signals = new Set<OtherSignal>();
  for await (const { name, bytes: content } of unzip(bytes, maxBytes)) {
    if (content.every(isSpace)) continue;
    try {
      const { readings, notes } = readBytes(content);
      if (readings.every(({ spans }) => spans.length === 0))
        for (const signal of listOtherSignals(content)) signals.add(signal);
      contents.push({ readings, notes: notes.map((note) => `${quoteValue(name)}: ${note}`) });
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      if (!(error instanceof ForeignContentError)) {
        throw new DecodeError(`zip, ${quoteValue(name)}: ${error.message}`);
      }
      leftOut.push(quoteValue(name));
    }
  }
  if (contents.length === 0) throw new ForeignContentError('zip: no file in it is of a known format');
  const notes = contents.flatMap((content) => content.notes).slice(0, mostNamed);
  if (leftOut.length > 0) {
    const more = leftOut.length > mostNamed ? `, … (${leftOut.length} in all)` : '';
    const names = leftOut.slice(0, mostNamed).join(', ');
    notes.push(`no format is recognised in these files of the archive: ${names}${more}`);
  }
  const readings = contents.flatMap((content) => content.readings);
  return withSignals(joinReadings(readings, notes), () => [...signals]);
}

function readBytes(bytes: Uint8Array): Content {
  if (bytes.every(isSpace))
    throw new ForeignContentError('document: empty, or nothing but white space; expected spans');
  refuseOtherBytes(bytes);
  const utf16 = findUtf16(bytes);
  if (utf16 !== null) return readBytes(Buffer.from(new TextDecoder(utf16).decode(bytes)));
  const first = firstCharacter(bytes);
  if (first === '<') {
    throw new ForeignContentError(
      'byte 0: this is a web page or XML, not spans; a login page comes where a session or a token is missing (curl -H "Authorization: …")',
    );
  }
  if (first === '{' || first === '[') return readText(bytes);
  if (looksLikeText(bytes)) return readConsole(bytes);
  if (bytes[0] === resourceSpansTag) return withoutNotes([readProtobuf(bytes, decodeRequestOfFile)]);
  if (isFramed(bytes)) return withoutNotes([readProtobuf(bytes, decodeFramedProtobuf)]);
  throw new ForeignContentError(unknownFormat);
}

const unknownFormat =
  'byte 0: no format is recognised; expected OTLP JSON, JSON Lines, OTLP protobuf, Jaeger JSON, Tempo JSON, Zipkin v2 JSON, ' +
  'ClickHouse rows, spans of Elasticsearch, OpenSearch or CloudWatch, or what a console exporter printed';

function readProtobuf(bytes: Uint8Array, decode: typeof decodeFramedProtobuf): Reading {
  return { format: 'otlp-protobuf', spans: decode(bytes) };
}

function withoutNotes(readings: readonly Reading[]): Content {
  return { readings, notes: [] };
}

function readText(bytes: Uint8Array): Content {
  try {
    return readJsonOrConsole(bytes);
  } catch (error) {
    // A protobuf request starts with 0x0a, a line break. If its first element has 91 or 123 bytes, a bracket or brace seems to follow.
    if (bytes[0] !== resourceSpansTag || !(error instanceof DecodeError)) throw error;
    try {
      return withoutNotes([readProtobuf(bytes, decodeRequestOfFile)]);
    } catch {
      throw error;
    }
  }
}

/**
 * The beginning of console output: JSON of Java's, Python's and Go's exporters, or text that is not JSON (`console.dir`, a log line in
 * brackets).
 */
const consoleStart = /^\s*(?:\{\s*(?:"(?:resource|name|Name)"\s*:|[A-Za-z_$])|\[(?!\s*[[{\]]))/;
const startLength = 1_000;

function readJsonOrConsole(bytes: Uint8Array): Content {
  const start = Buffer.from(bytes.subarray(0, startLength))
    .toString()
    .replace(/^\uFEFF/, '');
  const line = readFirstLine(bytes);
  const isConsole = consoleStart.test(start) || (isObject(line) && isLogRecord(line));
  if (isConsole || (line !== undefined && hasOtherLines(bytes))) return readConsole(bytes);
  if (line !== undefined) return withoutNotes(readLines(bytes));
  return withoutNotes(decodeJsonDocuments(bytes));
}

/** Whether other lines stand between the documents, as with Java's `otlp-stdout`: a line that begins neither an object nor a list. */
function hasOtherLines(bytes: Uint8Array): boolean {
  for (const { start, end } of splitLines(bytes)) {
    const first = firstCharacter(bytes.subarray(start, end));
    if (first !== '{' && first !== '[') return true;
  }
  return false;
}

const otlpFormats: ReadonlySet<string> = new Set(['otlp-json', 'jaeger-v3', 'tempo']);

/** Lines of OTLP count as `json-lines`, whatever their envelopes: Jaeger's API v3 streams `result` documents and a final `end`. */
function readLines(bytes: Uint8Array): readonly Reading[] {
  checkMemory(bytes, 'json');
  const readings: Reading[] = [];
  for (const { start, end, number, isCutOff } of splitLines(bytes)) {
    try {
      for (const reading of readLine(bytes.subarray(start, end), isCutOff, readDocument)) {
        if (reading.format === 'zipkin' || !otlpFormats.has(reading.format)) readings.push(reading);
        else readings.push({ format: 'json-lines', spans: reading.spans });
      }
    } catch (error) {
      throw prefixLine(number, error);
    }
  }
  return readings;
}

const lineFormats = [
  { format: 'collector-debug', matches: isCollectorDebug, decode: decodeCollectorDebug },
  { format: 'dotnet-console', matches: isDotnetConsole, decode: decodeDotnetConsole },
] as const;

function readConsole(bytes: Uint8Array): Content {
  checkMemory(bytes, 'json');
  const text = decodeUtf8(bytes);
  const content = readPrefixed(text) ?? readLog(withoutTimestamps(text));
  if (content.readings.length > 0) return content;
  refuseOtherText(text);
  const first = firstCharacter(bytes);
  if (first === '{' || first === '[') return withoutNotes(decodeJsonDocuments(bytes));
  throw new ForeignContentError(unknownFormat);
}

/** @returns Null when most lines do not begin with the name of a program, or there are no spans. */
function readPrefixed(text: string): Content | null {
  const split = splitPrefixed(withoutColours(text));
  if (split === null) return null;
  const contents: Content[] = split.programs.map(({ name, readText }) => {
    try {
      const { readings, notes } = readLog(readText());
      return { readings, notes: notes.map((note) => `${name}: ${note}`) };
    } catch (error) {
      throw error instanceof DecodeError ? reword(error, `in the lines of ${name}, ${error.message}`) : error;
    }
  });
  contents.push(readLog(split.readRest()));
  const readings = contents.flatMap((content) => content.readings);
  return readings.length === 0 ? null : { readings, notes: contents.flatMap(({ notes }) => notes) };
}

function readLog(text: string): Content {
  const found = lineFormats.filter(({ matches }) => matches(text));
  if (found.length === 0) refuseBeginning(text);
  let rest = text;
  const ofLines = found.map(({ format, decode }) => {
    const read = decode(rest);
    rest = read.rest;
    return { format, spans: read.spans };
  });
  // A log of several programs may hold other printed spans too.
  const { readings, otherLines, cutLine } = decodeConsole(rest);
  const cut = cutLine === null ? '' : `; what begins in line ${cutLine} is cut off, and may be a span`;
  const notes = otherLines === 0 ? [] : [`lines without a span, left out: ${otherLines}${cut}`];
  return { readings: [...ofLines, ...readings], notes };
}

/** Text has no control characters except white space and the escape of colours; protobuf has some in its first bytes. */
function looksLikeText(bytes: Uint8Array): boolean {
  const start = bytes.subarray(0, startLength);
  // The last character may be cut in two.
  const isText = isUtf8(start) || [1, 2, 3].some((cut) => isUtf8(start.subarray(0, -cut)));
  return isText && start.every((byte) => byte >= 0x20 || isSpace(byte) || byte === escapeCharacter);
}

const escapeCharacter = 0x1b;

/** Recognises UTF-16 by its byte order mark, or by the zero bytes beside a first bracket. */
function findUtf16(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  if ((first === 0x7b || first === 0x5b) && second === 0) return 'utf-16le';
  return first === 0 && (second === 0x7b || second === 0x5b) && bytes[2] === 0 && bytes[4] === 0
    ? 'utf-16be'
    : null;
}
