import { distance } from 'fastest-levenshtein';
import { suggestName } from '../util/suggest-name.ts';

/** The text after "is" on a name that no SDK knows. @param meant The answer of `guessName`. */
export function describeUnknown(kind: 'propagator' | 'sampler' | 'exporter', meant: string | null): string {
  const one = `${kind === 'exporter' ? 'an' : 'a'} ${kind}`;
  return meant === null
    ? `no ${kind} of OpenTelemetry; ${one} of your own may have this name`
    : `no ${kind}; ${meant} is probably meant`;
}

/** A name with more edits is another word. */
const mostEdits = 2;

/**
 * The known name that was probably meant; null where the name may be a custom component.
 *
 * @param mistaken Common mistakes in lower case, and what they mean.
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
