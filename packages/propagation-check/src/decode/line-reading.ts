import type { Span } from '../span/span.ts';

/** The spans of a format whose spans are lines of a text, and the text with these lines blank. */
export interface LineReading {
  readonly spans: readonly Span[];
  readonly rest: string;
}
