import type { AttributeValue } from '../span/span.ts';

/** The value of an attribute before it is flattened: JSON without null. */
export type PlainValue =
  | string
  | number
  | boolean
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue };

/** Deeper nesting is refused, as in protobuf's own readers. */
export const deepestValue = 100;

export function toAttributeValue(value: PlainValue): AttributeValue {
  if (typeof value !== 'object') return value;
  return isList(value) ? value.map(toAttributeValue) : JSON.stringify(value);
}

/** A 64-bit integer as a number, or as a decimal string where a number would lose digits. */
export function toIntegerValue(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

function isList(value: object): value is readonly PlainValue[] {
  return Array.isArray(value);
}
