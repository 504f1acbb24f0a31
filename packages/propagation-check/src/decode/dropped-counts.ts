import { droppedCounts } from '../span/dropped-counts.ts';
import type { Attributes } from '../span/span.ts';
import { toInteger } from './otlp-fields.ts';

export type Dropped = Readonly<Partial<Record<keyof typeof droppedCounts, number>>>;

/** Adds the counts of dropped items to a span's attributes, without those that are zero. */
export function withDropped(attributes: Attributes, dropped: Dropped): Attributes {
  const { attributes: ofAttributes = 0, links = 0, invalidLinks = 0 } = dropped;
  if (ofAttributes === 0 && links === 0 && invalidLinks === 0) return attributes;
  const counts = [
    [droppedCounts.attributes, ofAttributes],
    [droppedCounts.links, links],
    [droppedCounts.invalidLinks, invalidLinks],
  ] as const;
  return new Map([...attributes, ...counts.filter(([, count]) => count > 0)]);
}

/** Reads a count of OTLP/JSON. Another value is no error, and counts as 0. */
export function readCount(value: unknown): number {
  if (typeof value !== 'number' && typeof value !== 'string') return 0;
  const count = Number(toInteger(value) ?? 0);
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}
