import type { Span } from '../span/span.ts';
import {
  decodeClickhouseAnswer,
  decodeClickhouseRow,
  isClickhouseAnswer,
  isClickhouseRow,
} from './clickhouse.ts';
import { DecodeError, ForeignContentError } from './decode-error.ts';
import { decodeElasticsearch, isElasticsearch } from './elasticsearch.ts';
import { decodeGoConsoleSpan, isGoConsoleSpan } from './go-console.ts';
import { decodeJaegerJson, decodeJaegerSpan } from './jaeger-json.ts';
import { decodeJsConsoleSpan, isJsConsoleSpan } from './js-console.ts';
import { mapWithPath } from './map-with-path.ts';
import { decodeOtlpDocument } from './otlp-document.ts';
import { decodeResourceSpans } from './otlp-json.ts';
import { isObject } from './otlp-json-value.ts';
import { decodePythonConsoleSpan, isPythonConsoleSpan } from './python-console.ts';
import { quoteValue } from './quote-value.ts';
import type { Format, Reading } from './reading.ts';
import { refuseOtherTool } from './refuse-other-tool.ts';
import { refuseOwnFile } from './refuse-own-file.ts';
import { decodeSnakeCase, hasSnakeScopes, isSnakeCase } from './snake-case.ts';
import { decodeSpanDocument, isSpanDocument } from './span-documents.ts';
import { decodeZipkinSpan } from './zipkin-json.ts';

type Document = Readonly<Record<string, unknown>>;

interface DocumentFormat {
  readonly format: Exclude<Format, 'zipkin'>;
  readonly matches: (document: Document) => boolean;
  readonly decode: (document: Document) => readonly Span[];
}

/** The first match counts. A document without a match is read or refused as OTLP in one of its envelopes. */
const formats: readonly DocumentFormat[] = [
  { format: 'clickhouse', matches: isClickhouseAnswer, decode: decodeClickhouseAnswer },
  { format: 'span-documents', matches: isSpanDocument, decode: one(decodeSpanDocument) },
  { format: 'elasticsearch', matches: isElasticsearch, decode: decodeElasticsearch },
  { format: 'jaeger-v1', matches: isJaegerAnswer, decode: decodeJaegerJson },
  { format: 'jaeger-v1', matches: isJaegerSpan, decode: one(decodeJaegerSpan) },
  { format: 'clickhouse', matches: isClickhouseRow, decode: one(decodeClickhouseRow) },
  { format: 'js-console', matches: isJsConsoleSpan, decode: one(decodeJsConsoleSpan) },
  { format: 'python-console', matches: isPythonConsoleSpan, decode: one(decodePythonConsoleSpan) },
  { format: 'go-console', matches: isGoConsoleSpan, decode: one(decodeGoConsoleSpan) },
  {
    format: 'otlp-json',
    matches: hasSnakeScopes,
    decode: (document) => decodeSnakeCase(document, decodeOneResource),
  },
  { format: 'otlp-json', matches: isResourceSpans, decode: decodeOneResource },
];

/** Stricter than `formats`, because log records may have a field `data` too. */
const printed = [
  ...[isJsConsoleSpan, isPythonConsoleSpan, isGoConsoleSpan, isJaegerSpan, isJaegerTrace, isZipkinSpan],
  ...[isClickhouseRow, isElasticsearch, isSpanDocument, isSnakeCase, isResourceSpans, hasResourceSpans],
];

/** Whether a document among log lines is a span or holds spans that `readDocument` reads. */
export function isPrintedSpan(document: unknown): boolean {
  const elements = Array.isArray(document) ? document.flat() : [document];
  return (
    elements.length > 0 &&
    elements.every((element) => isObject(element) && printed.some((matches) => matches(element)))
  );
}

/**
 * Reads a JSON document whose format is recognised by content: an object, a list of them, or a list of such lists (Zipkin's traces).
 * @throws {DecodeError} with the path of the wrong value; also for formats that are known and cannot be read.
 */
export function readDocument(document: unknown): readonly Reading[] {
  if (!Array.isArray(document)) return [readElement(document, '')];
  if (document.length === 0) return [{ format: 'zipkin', spans: [] }];
  if (document.every((element) => typeof element === 'string')) {
    throw new ForeignContentError(
      'document: this is a list of names, as Zipkin answers for services; take traces from /api/v2/traces?serviceName=…',
    );
  }
  return mapWithPath(document, '', (element) =>
    Array.isArray(element)
      ? mapWithPath(element, '', (each) => readElement(each, '.[][]'))
      : [readElement(element, '.[]')],
  ).flat();
}

/** @param place The element's jq path in its file. */
function readElement(document: unknown, place: string): Reading {
  if (!isObject(document)) {
    throw new ForeignContentError(`document: expected an object, received ${quoteValue(document)}`);
  }
  refuseOwnFile(document);
  if (!isSpanDocument(document)) refuseOtherTool(document, place);
  const known = formats.find(({ matches }) => matches(document));
  if (known !== undefined) return { format: known.format, spans: known.decode(document) };
  if (isZipkinSpan(document)) return { format: 'zipkin', spans: [decodeZipkinSpan(document)] };
  return decodeOtlpDocument(document);
}

function isJaegerAnswer(document: Document): boolean {
  return ['data', 'processes'].some((field) => Object.hasOwn(document, field)) || isJaegerTrace(document);
}

function isJaegerTrace(document: Document): boolean {
  return Object.hasOwn(document, 'traceID') && Array.isArray(document.spans);
}

function isJaegerSpan(document: Document): boolean {
  return Object.hasOwn(document, 'traceID') && Object.hasOwn(document, 'spanID');
}

function isZipkinSpan(document: Document): boolean {
  return Object.hasOwn(document, 'traceId') && Object.hasOwn(document, 'id');
}

function isResourceSpans(document: Document): boolean {
  return ['scopeSpans', 'instrumentationLibrarySpans'].some((field) => Object.hasOwn(document, field));
}

function hasResourceSpans({ resourceSpans, result }: Document): boolean {
  return Array.isArray(resourceSpans) || (isObject(result) && Array.isArray(result.resourceSpans));
}

function one(decode: (document: Document) => Span): (document: Document) => readonly Span[] {
  return (document) => [decode(document)];
}

/** Decodes a single `ResourceSpans`: Java's `logging-otlp` and `otlp-stdout` exporters write one on each line. */
function decodeOneResource(document: unknown): readonly Span[] {
  try {
    return decodeResourceSpans([document], '', { ids: 'hex-or-base64' });
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new DecodeError(error.message.replace(/^\[0\]\.?/, ''));
  }
}
