import type { TraceGraph } from '../graph/trace-graph.ts';
import { none } from '../graph/trace-graph.ts';
import { kindNumber } from '../span/span.ts';
import { mapBy } from '../util/group-by.ts';
import type { FactSource } from './fact-source.ts';
import { readNumber } from './fact-source.ts';
import type { RowFacts } from './row-facts.ts';

const firstServerError = 500;

/**
 * The rows of CLIENT spans that repeat a request: their instrumentation counted it, or an earlier CLIENT span with the same parent failed with
 * the same request. A redirect is no failure.
 */
export function listRepeatedCalls(graph: TraceGraph, facts: RowFacts): ReadonlySet<number> {
  const { kinds } = graph.store;
  const clients: number[] = [];
  for (const [row, kind] of kinds.entries())
    if (kind === kindNumber.client && graph.has(row)) clients.push(row);
  const parentOf = (row: number): number => graph.parents[row] ?? none;
  const failedOf = mapBy(
    clients.filter((row) => parentOf(row) !== none && hasFailed(facts, row)),
    parentOf,
  );
  const isCounted = facts.remember(isResent);
  return new Set(
    clients.filter(
      (row) =>
        isCounted(row) ||
        (failedOf.get(parentOf(row)) ?? []).some(
          (failed) =>
            (graph.ends[failed] ?? 0) <= (graph.starts[row] ?? 0) &&
            graph.serviceOf(failed) === graph.serviceOf(row) &&
            facts.methodOf(failed) === facts.methodOf(row) &&
            facts.rpcMethodOf(failed) === facts.rpcMethodOf(row) &&
            facts.pathOf(failed) === facts.pathOf(row) &&
            (facts.pathOf(row) ?? facts.rpcMethodOf(row)) !== null,
        ),
    ),
  );
}

/** Sources: semantic conventions, "HTTP request retries and redirects"; version 1.20 for the old name. Redirects are counted too. */
function isResent(call: FactSource): boolean {
  return (readNumber(call, 'http.request.resend_count', 'http.resend_count') ?? 0) > 0;
}

function hasFailed(facts: RowFacts, row: number): boolean {
  return facts.outcomeOf(row) === 'unreached' || (facts.statusCodeOf(row) ?? 0) >= firstServerError;
}
