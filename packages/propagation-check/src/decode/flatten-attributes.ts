import type { Attributes, AttributeValue } from '../span/span.ts';
import { deepestValue } from './attribute-value.ts';
import { DecodeError } from './decode-error.ts';
import { isObject } from './otlp-json-value.ts';
import { readPlainAttributes } from './plain-attributes.ts';

/**
 * As `readPlainAttributes`, also for stores that nest keys at their dots: `{"http":{"route":…}}` for `http.route`.
 * @throws {DecodeError} with the path below `field`.
 */
export function flattenAttributes(value: unknown, field: string): Attributes {
  const entries: [string, unknown][] = [];
  const collect = (node: unknown, name: string, depth: number): void => {
    if (depth > deepestValue) throw new DecodeError(`${field}: nested deeper than ${deepestValue} levels`);
    if (!isObject(node)) entries.push([name, node]);
    else
      for (const [key, entry] of Object.entries(node))
        collect(entry, name === '' ? key : `${name}.${key}`, depth + 1);
  };
  if (!isObject(value)) return readPlainAttributes(value, field);
  collect(value, '', 0);
  return new Map<string, AttributeValue>(readPlainAttributes(Object.fromEntries(entries), field));
}
