import type { SpanStore } from '../span/span-store.ts';
import { describeDroppedLinks } from './describe-dropped-links.ts';
import { describeSharedNames } from './describe-shared-names.ts';
import { describeTimes } from './describe-times.ts';

/** Notes on misleading times, names or missing links, whatever the verdict. */
export function describeStore(store: SpanStore): readonly string[] {
  return [...describeTimes(store), ...describeSharedNames(store), ...describeDroppedLinks(store)];
}
