import type { Span } from '../span/span.ts';
import { DecodeError, ForeignContentError, OtherDocumentError, prefixPath } from './decode-error.ts';
import { decodeOtlpJson, decodeResourceSpans, type OtlpJsonOptions } from './otlp-json.ts';
import { isObject } from './otlp-json-value.ts';
import { quoteValue } from './quote-value.ts';
import { refuseRows } from './refuse-other-tool.ts';
import { decodeSnakeCase, isSnakeCase } from './snake-case.ts';
import { refuseZipkinV1 } from './zipkin-v1.ts';

export interface OtlpDocument {
  readonly format: 'otlp-json' | 'jaeger-v3' | 'tempo';
  readonly spans: readonly Span[];
}

/**
 * Decodes OTLP/JSON spans in any of their envelopes: an export request `{"resourceSpans":[…]}`, Jaeger's API v3
 * `{"result":{"resourceSpans":[…]}}`, and Tempo's `{"trace":{"resourceSpans":[…]}}` (v2) and `{"batches":[…]}` (v1). Ids may be hex or
 * base64, and fields may have the snake_case names of the `.proto` files.
 * @throws {DecodeError} with the path of the wrong value, also when no envelope is recognised.
 */
export function decodeOtlpDocument(document: unknown): OtlpDocument {
  refuseZipkinV1(document);
  const options: OtlpJsonOptions = { ids: 'hex-or-base64' };
  if (!isObject(document))
    throw new ForeignContentError(`document: expected an object, received ${quoteValue(document)}`);
  if (isSnakeCase(document)) return decodeSnakeCase(document, decodeOtlpDocument);
  if (Array.isArray(document.batches)) {
    return { format: 'tempo', spans: decodeResourceSpans(document.batches, 'batches', options) };
  }
  if (isObject(document.trace))
    return { format: 'tempo', spans: decodeTempoTrace(document, document.trace, options) };
  if (isObject(document.result)) {
    return { format: 'jaeger-v3', spans: decodeBelow('result', document.result, options) };
  }
  if (isObject(document.error)) {
    throw new DecodeError(`error: the source answered an error: ${quoteValue(document.error.message)}`);
  }
  refuseUnknown(document, 'document');
  return { format: 'otlp-json', spans: decodeOtlpJson(document, options) };
}

/** Fields of documents that may hold no spans: other signals, Tempo without the trace, the end of Jaeger's stream. */
const otlpFields = ['resourceSpans', 'resource_spans', 'resourceMetrics', 'resourceLogs', 'metrics', 'end'];

function refuseUnknown(document: Readonly<Record<string, unknown>>, path: string): void {
  const fields = Object.keys(document);
  const isOtlp = otlpFields.some((field) => Object.hasOwn(document, field)) || document.trace === null;
  if (fields.length === 0 || isOtlp) return;
  refuseRows(document);
  const found = fields.slice(0, 5).map(quoteValue).join(', ');
  throw new OtherDocumentError(
    `${path}: expected an object with "resourceSpans", found ${found}; export the traces as OTLP JSON, ` +
      'for instance with the file exporter of a Collector',
  );
}

/** Refuses a trace that Tempo cut short: its missing spans would look like a service's fault. */
function decodeTempoTrace(
  answer: Readonly<Record<string, unknown>>,
  trace: Readonly<Record<string, unknown>>,
  options: OtlpJsonOptions,
): readonly Span[] {
  if (answer.status === 'PARTIAL' || answer.status === 1) {
    throw new DecodeError(
      `status: Tempo answered only a part of the trace: ${quoteValue(answer.message ?? '')}`,
    );
  }
  if (Array.isArray(trace.batches)) return decodeResourceSpans(trace.batches, 'trace.batches', options);
  return decodeBelow('trace', trace, options);
}

function decodeBelow(
  path: string,
  document: Readonly<Record<string, unknown>>,
  options: OtlpJsonOptions,
): readonly Span[] {
  refuseUnknown(document, path);
  try {
    return decodeOtlpJson(document, options);
  } catch (error) {
    throw prefixPath(path, error);
  }
}
