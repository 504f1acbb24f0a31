import type { Span } from '../span/span.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import { readCallFacts } from './call-facts.ts';

/**
 * Tells the requests of one endpoint from those of others. Spans are named by their route (semantic conventions, HTTP
 * spans, "Name"), but where the instrumentation knows no routes all have the method as their name. Then paths tell,
 * with ids left open, as long as they recur.
 */
export function nameEndpoints(requests: readonly Span[]): (request: Span) => string {
  const patterns = new Map(
    groupBy(requests, nameOf).flatMap(([first, ...others]) =>
      first === undefined ? [] : [[nameOf(first), choosePattern([first, ...others])] as const],
    ),
  );
  return (request) => {
    const readPattern = patterns.get(nameOf(request));
    return keyFor(nameOf(request), readPattern?.(request) ?? null);
  };
}

function nameOf(request: Span): string {
  return keyFor(request.kind, request.name);
}

type ReadPattern = (request: Span) => string | null;

/** Looks like an id: digits or hex digits. */
const id = /\/(\d+|[\da-f-]{8,})(?=\/|$)/gi;

/** The same, and anything with a digit in it. */
const ids = [id, /\/[^/]*\d[^/]*/g];

/** A path with what is certainly an id left open. */
export function withoutIds(path: string): string {
  return path.replaceAll(id, '/*');
}

/** A path that never returns holds an id that does not look like one. */
function choosePattern(requests: readonly Span[]): ReadPattern | null {
  const patterns = ids.map((id): ReadPattern => {
    return (request) => {
      const { route, path } = readCallFacts(request);
      return route ?? path?.replaceAll(id, '/*') ?? null;
    };
  });
  const doesRecur = (readPattern: ReadPattern): boolean =>
    groupBy(requests, (request) => readPattern(request) ?? '').every((alike) => alike.length > 1);
  return patterns.find(doesRecur) ?? null;
}
