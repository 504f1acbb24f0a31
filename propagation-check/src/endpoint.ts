import { readCallFacts } from './call-facts.ts';
import { groupBy, keyFor } from './group-by.ts';
import type { Span } from './span.ts';

/**
 * Tells the requests of one endpoint from those of others. Spans are named by their route (semantic conventions, HTTP
 * spans, "Name"), but where the instrumentation knows no routes all have the method as their name. Then paths
 * tell, with what looks like an id left open, as long as they recur.
 */
export function nameEndpoints(requests: readonly Span[]): (request: Span) => string {
  const byPath = new Set(
    groupBy(requests, (request) => keyFor(request.kind, request.name))
      .filter((named) => groupBy(named, (request) => readPattern(request) ?? '').every(isRecurring))
      .flatMap(([first]) => (first === undefined ? [] : [keyFor(first.kind, first.name)])),
  );
  return (request) => {
    const name = keyFor(request.kind, request.name);
    return byPath.has(name) ? keyFor(request.kind, request.name, readPattern(request)) : name;
  };
}

/** Words in a path that never return are ids, too. */
function isRecurring(requests: readonly Span[]): boolean {
  return requests.length > 1;
}

function readPattern(request: Span): string | null {
  const { route, path } = readCallFacts(request);
  return route ?? path?.replace(/\/[^/]*\d[^/]*/g, '/*') ?? null;
}
