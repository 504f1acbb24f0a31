import { distance } from 'fastest-levenshtein';
import { suggestName } from '../util/suggest-name.ts';

/** What a name that no SDK knows is, after "is". @param meant As `guessName` answers. */
export function tellUnknown(kind: 'propagator' | 'sampler' | 'exporter', meant: string | null): string {
  const one = `${kind === 'exporter' ? 'an' : 'a'} ${kind}`;
  return meant === null
    ? `no ${kind} of OpenTelemetry; ${one} of your own may have this name`
    : `no ${kind}; ${meant} is probably meant`;
}

/** More edits make another word. */
const mostEdits = 2;

/**
 * The name that was probably meant; null where somebody may have made a component of this name.
 *
 * @param mistaken Other words that people write, in lower case, and what they mean.
 */
export function guessName(
  name: string,
  known: readonly string[],
  mistaken: ReadonlyMap<string, string>,
): string | null {
  const lower = name.toLowerCase();
  const meant = mistaken.get(lower);
  if (meant !== undefined) return meant;
  const near = suggestName(lower, known);
  return near !== null && distance(lower, near) <= mostEdits ? near : null;
}
