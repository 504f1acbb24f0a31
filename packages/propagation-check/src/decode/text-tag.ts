import type { Attributes } from '../span/span.ts';

/** A tag that holds a text; otherwise the empty text. */
export function textTag(tags: Attributes, key: string): string {
  const value = tags.get(key);
  return typeof value === 'string' ? value : '';
}
