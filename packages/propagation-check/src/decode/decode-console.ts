import { mapBy } from '../util/group-by.ts';
import { type Remainder, splitConsole } from './console-blocks.ts';
import { DecodeError } from './decode-error.ts';
import { readInspectedValue } from './inspected-value.ts';
import { prefixLine } from './json-lines.ts';
import { parseJson } from './parse-json.ts';
import { isPrintedSpan, readDocument } from './read-document.ts';
import type { Reading } from './reading.ts';

/** Printed spans are far smaller. In far larger objects a regular expression would run out of stack. */
const largestBlock = 4 * 1024 * 1024;

/** Field names of spans that ordinary log lines do not have. Ids do not count: they are common in logs. */
const partOfSpan = new RegExp(
  [
    ...[
      /start_?time_?unix_?nano/,
      /"(?:resource_?spans|scope_?spans|SpanContext|SpanKind|localEndpoint|processes)"/,
    ],
    ...[/"parent_id":\s*(?:"0x|null)/, /"references":\s*\[/, /parentSpanContext:/, /parentId:/],
  ]
    .map((pattern) => pattern.source)
    .join('|'),
  'i',
);

const colours = new RegExp(`${String.fromCharCode(0x1b)}\\[[\\d;]*m`, 'g');

export function withoutColours(text: string): string {
  return text.replace(colours, '');
}

export interface ConsoleReading {
  readonly readings: readonly Reading[];
  /** The number of lines that hold no span. */
  readonly otherLines: number;
  /** The first line of an object that is cut off before it can be recognised as a span or as something else; null if there is none. */
  readonly cutLine: number | null;
}

/**
 * Reads spans that console exporters print among other output of a program, as JSON or as `console.dir` prints objects. Other objects and
 * lines are counted and left out.
 * @throws {DecodeError} with the line; also when an object or a line that would be left out contains a part of a span.
 */
export function decodeConsole(text: string): ConsoleReading {
  const readings: Reading[] = [];
  const printedSpans: string[] = [];
  const open: Remainder[] = [];
  let otherLines = 0;
  let cutLine: number | null = null;
  for (const piece of splitConsole(withoutColours(text))) {
    try {
      const reading = 'text' in piece ? readBlock(piece.text) : null;
      if (reading !== null) {
        if ('text' in piece) printedSpans.push(piece.text);
        for (const each of reading) readings.push(each);
        continue;
      }
      if ('remainder' in piece) {
        if (piece.isOpen) open.push(piece);
        else refusePartOfSpan(piece.remainder);
      }
      otherLines += piece.lines;
    } catch (error) {
      throw prefixLine(piece.line, error);
    }
  }
  const fieldsOf = open.length === 0 ? null : listFieldsByStart(printedSpans);
  for (const { remainder, line } of open) {
    const known = fieldsOf?.get(readStart(remainder));
    const isOfSpan = known !== undefined && listFields(remainder).every((field) => known.has(field));
    if (partOfSpan.test(remainder) || beginOfSpan.test(remainder) || isOfSpan)
      throw prefixLine(line, new DecodeError(cutOff));
    if (known === undefined) cutLine ??= line;
  }
  return { readings, otherLines, cutLine };
}

/** A span inside a JSON string: structured loggers store printed text in a string. */
const spanInString = /\\"(?:startTimeUnixNano|start_time|parent_id|SpanContext)\\"/;

/** @returns Null for an object that is not a span. */
function readBlock(text: string): readonly Reading[] | null {
  const document = parseBlock(text);
  if (isPrintedSpan(document)) return readDocument(document);
  if (spanInString.test(text)) {
    throw new DecodeError(
      'a span as text in a record of a log; take the text out of it (jq -r .message, or what the field is called)',
    );
  }
  return null;
}

function parseBlock(text: string): unknown {
  try {
    return /^(?:\{\s*"|\[)/.test(text) ? parseJson(Buffer.from(text)) : parseInspected(text);
  } catch (error) {
    if (error instanceof DecodeError && !partOfSpan.test(text)) return null;
    throw error;
  }
}

function parseInspected(text: string): unknown {
  if (text.length > largestBlock)
    throw new DecodeError(`document: an object of more than ${largestBlock} characters`);
  return readInspectedValue(text);
}

/** Identifies a cut-off object of several lines as a span. Records of structured logs have the same fields, but each on one line. */
const beginOfSpan = /\n[^\S\n]*"?(?:trace_?id|instrumentationScope)"?:/i;

/** The text of an object up to its first key, which is the same for all spans of an exporter. */
function readStart(text: string): string {
  return /^\{\s*"?\w+"?:/.exec(text.trimStart())?.[0] ?? text;
}

/** The fields of spans, by what the spans begin with. */
function listFieldsByStart(spans: readonly string[]): ReadonlyMap<string, ReadonlySet<string>> {
  const alike = [...mapBy(spans, readStart)];
  return new Map(alike.map(([start, texts]) => [start, new Set(texts.flatMap(listFields))]));
}

/** The fields that begin a line with the indentation of the first one. */
function listFields(text: string): readonly string[] {
  const fields = [...text.matchAll(/(?<=\n)([^\S\n]+)"?(\w+)"?:/g)];
  return fields.filter(([, indentation]) => indentation === fields[0]?.[1]).map(([, , name = '']) => name);
}

const cutOff =
  'the span that begins here is cut off; take the output again after the program has stopped, or remove it';

function refusePartOfSpan(text: string): void {
  if (!partOfSpan.test(text)) return;
  throw new DecodeError(
    'a part of a span behind or among other text. `kubectl logs --prefix`, `docker compose logs` and `journalctl` put text in front of each line: ' +
      'take the log of one program, without it (kubectl logs POD, docker compose logs --no-log-prefix --no-color SERVICE, journalctl -o cat -u UNIT)',
  );
}
