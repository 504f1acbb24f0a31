import * as z from 'zod';
import type { Span, SpanLink } from '../span/span.ts';
import type { Resource } from '../span/span-store.ts';
import { DecodeError, prefixPath } from './decode-error.ts';
import { readCount, withDropped } from './dropped-counts.ts';
import { readFlags, readSpanKind, readStatusCode, readUint64 } from './otlp-fields.ts';
import { isObject, readAttributes, readResource } from './otlp-json-value.ts';
import { quoteValue } from './quote-value.ts';
import { anyArray, readShape } from './read-shape.ts';
import {
  type IdEncoding,
  readLinkIds,
  readParentSpanId,
  readSpanId,
  readTraceId,
  type UnreadLink,
} from './span-id.ts';
import { withLinks } from './with-links.ts';

export interface OtlpJsonOptions {
  /** Default: `hex`, as OTLP requires. */
  readonly ids?: IdEncoding;
  /**
   * Called for each span that is not valid, which is then left out (OTLP's partial success). Without this callback the first such span
   * fails the whole document.
   */
  readonly onInvalidSpan?: (error: DecodeError) => void;
}

const integer = z.union([z.number(), z.string()]).nullish();
const text = z.string().nullish();
const list = anyArray.nullish();

const requestShape = z.object({ resourceSpans: list, resource_spans: z.unknown().optional() });

const resourceShape = z.object({ attributes: list }).nullish();
const resourceSpansShape = z.object({
  resource: resourceShape,
  scopeSpans: list,
  instrumentationLibrarySpans: list,
  scope_spans: z.unknown().optional(),
});

const scope = z.object({ name: text }).nullish();
const scopeSpansShape = z.object({ scope, instrumentationLibrary: scope, spans: list });

const spanShape = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: text,
  traceState: text,
  flags: integer,
  name: text,
  kind: integer,
  startTimeUnixNano: integer,
  endTimeUnixNano: integer,
  attributes: list,
  links: list,
  status: z.object({ code: integer, message: text }).nullish(),
  droppedAttributesCount: z.unknown().optional(),
  droppedLinksCount: z.unknown().optional(),
});

const linkShape = z.object({ traceId: text, spanId: text });

/**
 * Decodes one OTLP/JSON export request or `TracesData`: `{"resourceSpans":[…]}`.
 *
 * Unknown fields are ignored; integers may be numbers or strings, enums numbers or names. `scopeSpans` may have its name before OTLP
 * 0.19, `instrumentationLibrarySpans`. Spans that were delivered twice are kept twice.
 *
 * Source: OTLP specification, "JSON Protobuf Encoding".
 * @throws {DecodeError} with the path of the wrong value.
 */
export function decodeOtlpJson(document: unknown, options: OtlpJsonOptions = {}): readonly Span[] {
  if (!isObject(document)) {
    throw new DecodeError(`document: expected an object, received ${quoteValue(document)}`);
  }
  const request = readShape(requestShape, document);
  if (request.resource_spans !== undefined && !request.resourceSpans) {
    refuseName('resource_spans', 'resourceSpans');
  }
  return decodeResourceSpans(request.resourceSpans ?? [], 'resourceSpans', options);
}

/**
 * Decodes a list of OTLP/JSON `ResourceSpans`.
 * @param path The path of the list in its document.
 * @throws {DecodeError} with the path of the wrong value.
 */
export function decodeResourceSpans(
  resourceSpansList: readonly unknown[],
  path: string,
  options: OtlpJsonOptions,
): readonly Span[] {
  const spans: Span[] = [];
  for (const [index, resourceSpans] of resourceSpansList.entries()) {
    try {
      decodeOneResource(resourceSpans, `${path}[${index}]`, options, spans);
    } catch (error) {
      throw prefixPath(`${path}[${index}]`, error);
    }
  }
  return spans;
}

function refuseName(name: string, camelCase: string): never {
  throw new DecodeError(
    `${name}: OTLP JSON writes field names in lowerCamelCase, and receivers ignore others; export with lowerCamelCase names (${camelCase})`,
  );
}

function decodeOneResource(value: unknown, path: string, options: OtlpJsonOptions, spans: Span[]): void {
  const shape = readShape(resourceSpansShape, value);
  if (shape.scope_spans !== undefined) refuseName('scope_spans', 'scopeSpans');
  const resource = readResource(shape.resource?.attributes);
  const field = shape.scopeSpans ? 'scopeSpans' : 'instrumentationLibrarySpans';
  for (const [index, scopeSpans] of (shape[field] ?? []).entries()) {
    const where = `${field}[${index}]`;
    try {
      const { scope, instrumentationLibrary, spans: list } = readShape(scopeSpansShape, scopeSpans);
      const scopeName = scope?.name ?? instrumentationLibrary?.name ?? '';
      const origin: SpanOrigin = { resource, scopeName };
      decodeSpans(list ?? [], origin, `${path}.${where}`, options, spans);
    } catch (error) {
      throw prefixPath(where, error);
    }
  }
}

interface SpanOrigin {
  readonly resource: Resource;
  readonly scopeName: string;
}

function decodeSpans(
  list: readonly unknown[],
  origin: SpanOrigin,
  path: string,
  options: OtlpJsonOptions,
  spans: Span[],
): void {
  for (const [index, value] of list.entries()) {
    try {
      spans.push(decodeSpan(value, origin, options.ids ?? 'hex'));
    } catch (error) {
      if (!(error instanceof DecodeError) || options.onInvalidSpan === undefined) {
        throw prefixPath(`spans[${index}]`, error);
      }
      const full = prefixPath(`${path}.spans[${index}]`, error);
      if (full instanceof DecodeError) options.onInvalidSpan(full);
    }
  }
}

function decodeSpan(value: unknown, origin: SpanOrigin, ids: IdEncoding): Span {
  const shape = readShape(spanShape, value);
  const attributes = withDropped(readAttributes(shape.attributes, 'attributes'), {
    attributes: readCount(shape.droppedAttributesCount),
    links: readCount(shape.droppedLinksCount),
  });
  const span = {
    traceId: readTraceId(shape.traceId, 'traceId', ids),
    spanId: readSpanId(shape.spanId, 'spanId', ids),
    parentSpanId: readParentSpanId(shape.parentSpanId, 'parentSpanId', ids),
    traceState: shape.traceState ?? '',
    flags: readFlags(shape.flags),
    name: shape.name ?? '',
    kind: readSpanKind(shape.kind),
    startTimeUnixNano: readUint64(shape.startTimeUnixNano, 'startTimeUnixNano'),
    endTimeUnixNano: readUint64(shape.endTimeUnixNano, 'endTimeUnixNano'),
    attributes,
    status: { code: readStatusCode(shape.status?.code), message: shape.status?.message ?? '' },
    serviceName: origin.resource.serviceName,
    resource: origin.resource.attributes,
    scopeName: origin.scopeName,
  };
  return withLinks(span, shape.links ?? [], 'links', (link) => readLink(link, ids));
}

function readLink(value: unknown, ids: IdEncoding): SpanLink | UnreadLink {
  const { traceId, spanId } = readShape(linkShape, value);
  return readLinkIds(traceId ?? '', spanId ?? '', ids);
}
