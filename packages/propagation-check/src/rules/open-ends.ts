import type { Span } from '../span/span.ts';
import { remember } from '../util/remember.ts';
import { type Draft, listExplained } from './draft.ts';
import type { LooseEnds, Open } from './scene.ts';

/** The spans that findings explain are collected when the first rule asks for them: few rules do. */
export function toOpen(looseEnds: LooseEnds, found: readonly Draft[]): Open {
  const explained = remember((): ReadonlySet<Span | null> => new Set(found.flatMap(listExplained)));
  return { ...looseEnds, found, explained };
}
