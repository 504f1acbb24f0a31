import type { AttributeValue, Span } from '../span/span.ts';

/** A span, or a row of a span store. */
export interface FactSource {
  readonly kind: Span['kind'];
  readonly name: string;
  readonly status: { readonly code: Span['status']['code'] };
  readonly attributes: AttributeReader;
}

export interface AttributeReader {
  get(key: string): AttributeValue | undefined;
  has(key: string): boolean;
}

/** The first of the attributes whose value is a non-empty string. */
export function readText(span: FactSource, ...keys: readonly string[]): string | null {
  for (const key of keys) {
    const value = span.attributes.get(key);
    if (typeof value === 'string' && value !== '') return value;
  }
  return null;
}

export function readNumber(span: FactSource, ...keys: readonly string[]): number | null {
  for (const key of keys) {
    const value = span.attributes.get(key);
    const number = typeof value === 'string' && value !== '' ? Number(value) : value;
    if (typeof number === 'number' && Number.isInteger(number)) return number;
  }
  return null;
}
