import type { Span } from '../span/span.ts';
import { groupBy, keyFor, mapBy } from '../util/group-by.ts';
import { readCallFacts } from './call-facts.ts';
import { isHealthProbe } from './probes.ts';

/**
 * Names the endpoint of each request. Spans are named by their route (semantic conventions, HTTP spans, "Name"). Where the instrumentation
 * knows no routes, all spans are named by their method; then the paths, with ids replaced, name the endpoints if each path recurs.
 * Health probes are apart, so that a single probe does not hide the paths of the other requests.
 */
export function nameEndpoints(requests: readonly Span[]): (request: Span) => string {
  const alike = mapBy(requests, nameOf);
  const patterns = new Map([...alike].map(([name, some]) => [name, choosePattern(some)]));
  return (request) => {
    const name = nameOf(request);
    return keyFor(name, patterns.get(name)?.(request) ?? null);
  };
}

function nameOf(request: Span): string {
  return keyFor(request.kind, request.name, isHealthProbe(request) ? 'probe' : null);
}

export function keyOfMethodAndPath(request: Span): string {
  const { method, path } = readCallFacts(request);
  return keyFor(method, path);
}

type ReadPattern = (request: Span) => string | null;

/** A segment that looks like an id: digits or hex digits. */
const id = /\/(\d+|[\da-f-]{8,})(?=\/|$)/gi;

/** `id`, then any segment that contains a digit. */
const ids = [id, /\/[^/]*\d[^/]*/g];

/** A path with its certain ids replaced by `*`. */
export function withoutIds(path: string): string {
  return path.replaceAll(id, '/*');
}

/** The narrowest pattern under which every path recurs. A path that occurs once contains an id that the pattern missed. */
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
