import type { Attributes } from '../span/span.ts';

/** The value of a tag that is a string; otherwise an empty string. */
export function textTag(tags: Attributes, key: string): string {
  const value = tags.get(key);
  return typeof value === 'string' ? value : '';
}
