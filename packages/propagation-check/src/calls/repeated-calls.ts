import { none, type TraceGraph } from '../graph/trace-graph.ts';
import { kindNumber } from '../span/span.ts';
import { keyFor } from '../util/group-by.ts';
import { type FactSource, readNumber } from './fact-source.ts';
import type { RowFacts } from './row-facts.ts';

const firstServerError = 500;

/**
 * The rows of CLIENT spans that repeat a request: their instrumentation counted it, or an earlier CLIENT span with the same parent failed with
 * the same request. A redirect is no failure.
 */
export function listRepeatedCalls(graph: TraceGraph, facts: RowFacts): ReadonlySet<number> {
  const { kinds } = graph.store;
  const clients: number[] = [];
  kinds.forEach((kind, row) => {
    if (kind === kindNumber.client && graph.has(row)) clients.push(row);
  });
  const failed = clients.filter((row) => graph.parents[row] !== none && hasFailed(facts, row));
  const parents = new Set(failed.map((row) => graph.parents[row]));
  /** By request: the end of its first failed call. */
  const failedAt = new Map<string, number>();
  for (const row of failed) {
    const request = nameRequest(graph, facts, row);
    const end = graph.ends[row] ?? 0;
    if (request !== null) failedAt.set(request, Math.min(end, failedAt.get(request) ?? end));
  }
  const isAfterFailed = (row: number): boolean => {
    const request = parents.has(graph.parents[row]) ? nameRequest(graph, facts, row) : null;
    const end = request === null ? undefined : failedAt.get(request);
    return end !== undefined && end <= (graph.starts[row] ?? 0);
  };
  const isCounted = facts.remember(isResent);
  return new Set(clients.filter((row) => isCounted(row) || isAfterFailed(row)));
}

function nameRequest(graph: TraceGraph, facts: RowFacts, row: number): string | null {
  const [path, rpcMethod] = [facts.pathOf(row), facts.rpcMethodOf(row)];
  if (path === null && rpcMethod === null) return null;
  const parent = String(graph.parents[row] ?? none);
  return keyFor(parent, graph.serviceOf(row), facts.methodOf(row), path, rpcMethod);
}

/** Sources: semantic conventions, "HTTP request retries and redirects"; version 1.20 for the old name. Redirects are counted too. */
function isResent(call: FactSource): boolean {
  return (readNumber(call, 'http.request.resend_count', 'http.resend_count') ?? 0) > 0;
}

function hasFailed(facts: RowFacts, row: number): boolean {
  return facts.outcomeOf(row) === 'unreached' || (facts.statusCodeOf(row) ?? 0) >= firstServerError;
}
