import { deepestValue } from './attribute-value.ts';
import { DecodeError } from './decode-error.ts';
import { isObject } from './otlp-json-value.ts';

/** The fields that decoders read, with their names in the `.proto` files. */
const names: ReadonlyMap<string, string> = new Map(
  [
    ...['resource_spans', 'scope_spans', 'instrumentation_library_spans', 'instrumentation_library'],
    ...['trace_id', 'span_id', 'parent_span_id', 'trace_state', 'start_time_unix_nano', 'end_time_unix_nano'],
    ...[
      'string_value',
      'bool_value',
      'int_value',
      'double_value',
      'array_value',
      'kvlist_value',
      'bytes_value',
    ],
  ].map((name) => [name, name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())]),
);
const originals: ReadonlyMap<string, string> = new Map([...names].map(([snake, camel]) => [camel, snake]));

/** Each level of an attribute's value is an object, a list and an object; the envelope around the attributes has fewer than 20. */
const deepest = deepestValue * 3 + 20;

type Document = Readonly<Record<string, unknown>>;

/**
 * Whether a document has the snake_case names of the `.proto` files, which protobuf writes with `preserving_proto_field_name`. Tempo's
 * own `.proto` file has the name `resourceSpans`, with snake_case names below it.
 */
export function isSnakeCase(document: Document): boolean {
  return (
    Object.hasOwn(document, 'resource_spans') ||
    hasSnakeScopes(document) ||
    [document, document.trace, document.result].some(
      (envelope) =>
        isObject(envelope) && [envelope.resourceSpans, envelope.batches].some(hasResourceInSnakeCase),
    )
  );
}

function hasResourceInSnakeCase(list: unknown): boolean {
  return Array.isArray(list) && list.some((resource) => isObject(resource) && hasSnakeScopes(resource));
}

/** Whether an object is a `ResourceSpans` with snake_case names. */
export function hasSnakeScopes(resourceSpans: Document): boolean {
  return Object.hasOwn(resourceSpans, 'scope_spans');
}

/**
 * Decodes OTLP/JSON with snake_case names. OTLP receivers ignore such fields, but readers of protobuf's JSON mapping must accept them.
 * @param decode Decodes the document with lowerCamelCase names.
 * @throws {DecodeError} with the path in the document's own names.
 */
export function decodeSnakeCase<T>(document: unknown, decode: (document: unknown) => T): T {
  const renamed = rename(document, 0);
  try {
    return decode(renamed);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const path = /^[^ :]*/.exec(error.message)?.[0] ?? '';
    const original = path.replace(/[a-zA-Z]+/g, (name) => originals.get(name) ?? name);
    throw new DecodeError(original + error.message.slice(path.length));
  }
}

function rename(value: unknown, depth: number): unknown {
  if (depth > deepest) throw new DecodeError(`document: nested deeper than ${deepest} levels`);
  if (Array.isArray(value)) return value.map((element) => rename(element, depth + 1));
  if (!isObject(value)) return value;
  if (isObject(value.Value)) {
    throw new DecodeError(
      "resource_spans: written by Go's encoding/json, which loses which fields are set; write it with protojson, or export OTLP JSON",
    );
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [names.get(key) ?? key, rename(entry, depth + 1)]),
  );
}
