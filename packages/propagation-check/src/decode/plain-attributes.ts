import type { Attributes, AttributeValue } from '../span/span.ts';
import { deepestValue, type PlainValue, toAttributeValue } from './attribute-value.ts';
import { DecodeError, prefixPath } from './decode-error.ts';
import { isObject } from './otlp-json-value.ts';
import { quoteValue } from './quote-value.ts';

/**
 * Reads attributes from a plain object: `{"http.request.method":"GET"}`. Null becomes an empty string.
 * @throws {DecodeError} with the path below `field`.
 */
export function readPlainAttributes(value: unknown, field: string): Attributes {
  if (!isObject(value)) throw new DecodeError(`${field}: expected an object, received ${quoteValue(value)}`);
  const attributes = new Map<string, AttributeValue>();
  for (const [key, entry] of Object.entries(value)) {
    try {
      attributes.set(key, toAttributeValue(readPlainValue(entry, 0)));
    } catch (error) {
      throw prefixPath(`${field}[${quoteValue(key)}]`, error);
    }
  }
  return attributes;
}

/** @throws {DecodeError} when the value is nested too deeply or is not a JSON value. */
export function readPlainValue(value: unknown, depth = 0): PlainValue {
  if (depth > deepestValue) throw new DecodeError(`: nested deeper than ${deepestValue} levels`);
  if (value === null || value === undefined) return '';
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map((element) => readPlainValue(element, depth + 1));
  if (isObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]) => [key, readPlainValue(entry, depth + 1)]),
    );
  }
  throw new DecodeError(`: expected a value of JSON, received ${typeof value}`);
}
