import { keepAttributes } from '../../src/span/kept-attributes.ts';
import type { Span } from '../../src/span/span.ts';
import { type SpanStore, viewOf } from '../../src/span/span-store.ts';

/** All spans of a store. */
export function viewsOf(store: SpanStore): readonly Span[] {
  return Array.from({ length: store.size }, (_, row) => viewOf(store, row));
}

/** The spans with only what a store keeps of them. */
export function kept(spans: readonly Span[]): readonly Span[] {
  return spans.map((span) => ({ ...span, attributes: keepAttributes(span.attributes) }));
}
