import { readCallFacts } from '../calls/call-facts.ts';
import { ancestorsOf, isRoot } from '../graph/trace-graph.ts';
import type { Span } from '../span/span.ts';
import { keyFor } from '../util/group-by.ts';
import { hasCall, isNamed, type SceneFacts, type SharedResults } from './check.ts';

/** Makes what rules ask for often, each result once for a scene. */
export function shareResults(facts: SceneFacts): SharedResults {
  const findNamedAbove = rememberUpwards(facts);
  const isReachedThrough = remember((client: string, server: string) =>
    facts.callsInto(server).some((call) => findNamedAbove(call.client)?.serviceName === client),
  );
  const isExpectedDirectly = remember((client: string | null, server: string | null) =>
    facts.expectation.edges.some(
      (edge) =>
        edge.rule === 'must' &&
        edge.client === client &&
        edge.server === server &&
        (hasCall(facts, edge.client, edge.server) || !isReachedThrough(edge.client, edge.server)),
    ),
  );
  const userAgents = remember(
    (client: string | null, server: string | null, scope: string): ReadonlySet<string> =>
      new Set(
        facts
          .callsBetween(client, server)
          .filter((call) => call.client.scopeName === scope)
          .flatMap((call) => readCallFacts(call.server).userAgent ?? []),
      ),
  );
  let begun: ReadonlySet<string> | null = null;
  return {
    isBegun: (traceId) => {
      begun ??= new Set(facts.graph.spans.filter(isRoot).map((span) => span.traceId));
      return begun.has(traceId);
    },
    isExpectedDirectly,
    isReachedThrough,
    userAgentsOf: (client, server) => userAgents(client.serviceName, server, client.scopeName),
  };
}

/** A function that works each result out once. */
function remember<Parts extends readonly (string | null)[], Result>(
  work: (...parts: Parts) => Result,
): (...parts: Parts) => Result {
  const known = new Map<string, { readonly result: Result }>();
  return (...parts) => {
    const key = keyFor(...parts);
    const entry = known.get(key) ?? { result: work(...parts) };
    known.set(key, entry);
    return entry.result;
  };
}

/** Finds a span, or the nearest above it, whose service the expectations name. What a search passed has the same answer. */
function rememberUpwards(facts: SceneFacts): (span: Span) => Span | null {
  const known = new Map<Span, Span | null>();
  return (span) => {
    const passed: Span[] = [];
    let found: Span | null | undefined;
    for (const at of withAncestors(facts, span)) {
      found = isNamed(facts, at.serviceName) ? at : known.get(at);
      if (found !== undefined) break;
      passed.push(at);
    }
    for (const each of passed) known.set(each, found ?? null);
    return found ?? null;
  };
}

function* withAncestors({ graph }: SceneFacts, span: Span): Generator<Span> {
  yield span;
  yield* ancestorsOf(graph, span);
}
