import { closest, distance } from 'fastest-levenshtein';

/** If more than a third of its letters differ, a name is not a misspelling. */
const mostMisspelt = 1 / 3;

/** The known name that was probably meant; null if none is similar. */
export function suggestName(name: string, known: readonly string[]): string | null {
  if (known.length === 0) return null;
  const alike =
    known.find((each) => areSwapped(name.toLowerCase(), each.toLowerCase())) ??
    known.find((each) => areOfOneStem(name, each));
  if (alike !== undefined) return alike;
  const nearest = closest(
    name.toLowerCase(),
    known.map((each) => each.toLowerCase()),
  );
  const found = known.find((each) => each.toLowerCase() === nearest);
  const isNear = distance(name.toLowerCase(), nearest) <= name.length * mostMisspelt;
  return found !== undefined && isNear ? found : null;
}

/** `did you mean web instead of wbe?`; null if no known name is similar or contains the name. */
export function suggestInstead(name: string, known: readonly string[]): string | null {
  const slip = suggestName(name, known);
  const meant = slip === null ? listNamesWith(name, known) : [slip];
  return meant.length === 0 ? null : `did you mean ${meant.join(' or ')} instead of ${name}?`;
}

/** More names would be no suggestion. */
const mostSuggested = 3;
/** Fewer letters occur in too many names. */
const fewestLetters = 3;

/** `payment-service` for `pay`, `shop-frontend` for `frontend`, and the reverse; none if too many fit. */
function listNamesWith(name: string, known: readonly string[]): readonly string[] {
  const found = known.filter((each) => isPartOf(name, each) || isPartOf(each, name, '-'));
  return found.length > mostSuggested ? [] : found.toSorted();
}

/** Whether `part` occurs in the name at the beginning of a word. @param end What must follow it. */
function isPartOf(part: string, name: string, end = ''): boolean {
  return part.length >= fewestLetters && `-${divide(name)}-`.includes(`-${divide(part)}${end}`);
}

function divide(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]/g, '-');
}

/** `payment`, `payments` and `payment-service`. */
export function areOfOneStem(name: string, other: string): boolean {
  const [stem, ofOther] = [readStem(name), readStem(other)];
  return stem !== '' && stem === ofOther;
}

function readStem(name: string): string {
  return name
    .toLowerCase()
    .replace(/^(?:service|svc)[-_.]|[-_.](?:service|svc)$/, '')
    .replace(/s$/, '');
}

/** Whether two adjacent letters are swapped: one slip, but an edit distance of 2. */
function areSwapped(name: string, other: string): boolean {
  const at = [...name].findIndex((letter, index) => letter !== other[index]);
  const [first = '', second = ''] = name.slice(at, at + 2);
  return at >= 0 && name.slice(0, at) + second + first + name.slice(at + 2) === other;
}
