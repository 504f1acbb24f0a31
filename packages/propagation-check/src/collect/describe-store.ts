import type { SpanStore } from '../span/span-store.ts';
import { describeSharedNames } from './describe-shared-names.ts';
import { describeTimes } from './describe-times.ts';

/** Notes on spans whose times or names mislead, whatever the verdict on their calls. */
export function describeStore(store: SpanStore): readonly string[] {
  return [...describeTimes(store), ...describeSharedNames(store)];
}
