import type { Attributes, AttributeValue } from '../span/span.ts';
import type { Resource } from '../span/span-store.ts';
import { deepestValue, type PlainValue, toAttributeValue, toIntegerValue } from './attribute-value.ts';
import { DecodeError, prefixPath } from './decode-error.ts';
import { toInteger } from './otlp-fields.ts';
import { quoteValue } from './quote-value.ts';
import { readServiceName } from './service-name.ts';

/** Reads a resource from its attributes. @throws {DecodeError} */
export function readResource(list: readonly unknown[] | null | undefined): Resource {
  const attributes = readAttributes(list, 'resource.attributes');
  return { serviceName: readServiceName(attributes), attributes };
}

/**
 * Reads a list of OTLP `KeyValue`. The last of several entries with the same key counts; a value that is not set becomes an empty string.
 * @throws {DecodeError} with the path below `field`.
 */
export function readAttributes(list: readonly unknown[] | null | undefined, field: string): Attributes {
  const attributes = new Map<string, AttributeValue>();
  for (const [index, entry] of (list ?? []).entries()) {
    try {
      const [key, value] = readKeyValue(entry, 0);
      attributes.set(key, toAttributeValue(value));
    } catch (error) {
      throw prefixPath(`${field}[${index}]`, error);
    }
  }
  return attributes;
}

function readKeyValue(entry: unknown, depth: number): readonly [string, PlainValue] {
  const { key, value } = readObject(entry, '');
  if (typeof key !== 'string') throw new DecodeError(`key: expected string, received ${quoteValue(key)}`);
  return [key, readAnyValue(value, depth)];
}

function readAnyValue(value: unknown, depth: number): PlainValue {
  if (depth > deepestValue) throw new DecodeError(`value: nested deeper than ${deepestValue} levels`);
  if (value === undefined || value === null) return '';
  const any = readObject(value, 'value');
  if (isSet(any.stringValue)) return readTyped(any.stringValue, 'string', 'stringValue');
  if (isSet(any.intValue)) return readInteger(any.intValue);
  if (isSet(any.boolValue)) return readTyped(any.boolValue, 'boolean', 'boolValue');
  if (isSet(any.doubleValue)) return readDouble(any.doubleValue);
  if (isSet(any.bytesValue)) return readTyped(any.bytesValue, 'string', 'bytesValue');
  if (isSet(any.arrayValue)) {
    return readValues(any.arrayValue, 'arrayValue').map((element) => readAnyValue(element, depth + 1));
  }
  if (isSet(any.kvlistValue)) {
    const entries = readValues(any.kvlistValue, 'kvlistValue');
    return Object.fromEntries(entries.map((entry) => readKeyValue(entry, depth + 1)));
  }
  return '';
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function readValues(value: unknown, field: string): readonly unknown[] {
  const { values } = readObject(value, `value.${field}`);
  if (values === undefined || values === null) return [];
  if (!Array.isArray(values)) throw new DecodeError(`value.${field}.values: expected an array`);
  return values;
}

function readInteger(value: unknown): number | string {
  const integer = typeof value === 'number' || typeof value === 'string' ? toInteger(value) : null;
  if (integer === null) throw new DecodeError(`value.intValue: ${quoteValue(value)} is not an integer`);
  return toIntegerValue(integer);
}

function readDouble(value: unknown): number {
  if (typeof value === 'number') return value;
  const isNumber = typeof value === 'string' && /^(NaN|-?Infinity|-?\d+(\.\d+)?([eE][+-]?\d+)?)$/.test(value);
  if (!isNumber) throw new DecodeError(`value.doubleValue: ${quoteValue(value)} is not a number`);
  return Number(value);
}

function readTyped(value: unknown, type: 'string', field: string): string;
function readTyped(value: unknown, type: 'boolean', field: string): boolean;
function readTyped(value: unknown, type: 'string' | 'boolean', field: string): string | boolean {
  if ((typeof value === 'string' || typeof value === 'boolean') && typeof value === type) return value;
  throw new DecodeError(`value.${field}: expected ${type}, received ${quoteValue(value)}`);
}

function readObject(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (isObject(value)) return value;
  throw new DecodeError(`${path}: expected an object, received ${quoteValue(value)}`);
}

/** A JSON object: neither null nor an array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
