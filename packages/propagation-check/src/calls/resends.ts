import { none, type TraceGraph } from '../graph/trace-graph.ts';
import { kindNumber } from '../span/span.ts';
import { keyFor } from '../util/group-by.ts';
import { type FactSource, readNumber } from './fact-source.ts';
import type { RowFacts } from './row-facts.ts';

const firstServerError = 500;

/**
 * The rows of CLIENT spans that send a request again: their instrumentation counted it, or an earlier CLIENT span with the same parent failed with
 * the same request. A redirect is no failure.
 */
export function listResends(graph: TraceGraph, facts: RowFacts): ReadonlySet<number> {
  const failed = selectClients(graph, (row) => graph.parents[row] !== none && hasFailed(facts, row));
  const parents = new Set(failed.map((row) => graph.parents[row]));
  const endOf = (row: number): number => graph.ends[row] ?? Number.POSITIVE_INFINITY;
  /** The call that failed first. */
  const firstOf = new Map<string, number>();
  for (const row of failed) {
    const key = keyOfRequest(graph, facts, row);
    if (key !== null && endOf(row) < endOf(firstOf.get(key) ?? none)) firstOf.set(key, row);
  }
  const isAfterFailure = (row: number): boolean => {
    const key = parents.has(graph.parents[row]) ? keyOfRequest(graph, facts, row) : null;
    const first = key === null ? undefined : firstOf.get(key);
    return first !== undefined && first !== row && endOf(first) <= (graph.starts[row] ?? 0);
  };
  const isCounted = facts.remember(isResent);
  return new Set(selectClients(graph, (row) => isCounted(row) || isAfterFailure(row)));
}

/** The rows of CLIENT spans for which `isMeant` holds. */
function selectClients(graph: TraceGraph, isMeant: (row: number) => boolean): readonly number[] {
  const { kinds, size } = graph.store;
  const meant: number[] = [];
  for (let row = 0; row < size; row += 1)
    if (kinds[row] === kindNumber.client && graph.has(row) && isMeant(row)) meant.push(row);
  return meant;
}

/** Equal for CLIENT spans that may be of one request; null if they do not say what they ask for. */
function keyOfRequest(graph: TraceGraph, facts: RowFacts, row: number): string | null {
  const [path, rpcMethod] = [facts.pathOf(row), facts.rpcMethodOf(row)];
  return path === null && rpcMethod === null
    ? null
    : keyFor(graph.parents[row] ?? none, graph.serviceOf(row), facts.methodOf(row), rpcMethod, path);
}

/** Sources: semantic conventions, "HTTP request retries and redirects"; version 1.20 for the old name. Redirects are counted too. */
function isResent(call: FactSource): boolean {
  return (readNumber(call, 'http.request.resend_count', 'http.resend_count') ?? 0) > 0;
}

/** Whether a call was not reached or was answered with a server error. */
export function hasFailed(facts: RowFacts, row: number): boolean {
  return facts.outcomeOf(row) === 'unreached' || (facts.statusCodeOf(row) ?? 0) >= firstServerError;
}
