import type { SpanStore } from '../span/span-store.ts';
import { describeDroppedLinks } from './describe-dropped-links.ts';
import { describeSharedNames } from './describe-shared-names.ts';
import { describeTimes } from './describe-times.ts';

/** Notes on spans whose times, names or missing links mislead, whatever the verdict on their calls. */
export function describeStore(store: SpanStore): readonly string[] {
  return [...describeTimes(store), ...describeSharedNames(store), ...describeDroppedLinks(store)];
}
