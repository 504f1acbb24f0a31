import type { CallGroup } from '../calls/call-group.ts';
import { none, type TraceGraph } from '../graph/trace-graph.ts';
import type { Shown } from '../rules/check.ts';
import type { FindingId } from '../rules/finding.ts';
import { findings } from '../rules/findings.ts';
import type { SpanStore } from '../span/span-store.ts';
import { keyFor } from '../util/group-by.ts';
import { examineStore } from '../verdict/check-traces.ts';
import { findUnjudged } from '../verdict/list-unjudged.ts';
import type { CallVerdict } from './edge-counters.ts';

/** One call, and the row of the span that stands for it: the called one where it is known. */
export interface JudgedCall extends CallVerdict {
  readonly row: number;
}

/** Whole calls of one edge. */
export interface WholeCalls {
  readonly client: string | null;
  readonly server: string | null;
  readonly rows: readonly number[];
  /** Both sides of one. */
  readonly example: CallVerdict['example'];
}

export interface BatchJudgement {
  readonly whole: readonly WholeCalls[];
  /** Later spans cannot change these. One that is undecided is a minority of its edge, which others may have caused. */
  readonly final: readonly JudgedCall[];
  /** Argued from spans that are not there, or open: later spans may decide otherwise. */
  readonly pending: readonly JudgedCall[];
}

/**
 * Judges traces together, each call on its own.
 * @param isNew Whether a row was not in the batch before: whole calls are told when one of their sides is new.
 */
export function judgeBatch(store: SpanStore, isNew: (row: number) => boolean): BatchJudgement {
  const { scene, merged } = examineStore(store);
  const { graph, groups, groupsBetween } = scene;
  const final: JudgedCall[] = [];
  const pending: JudgedCall[] = [];
  const edges = new Map<string, { readonly whole: ReadonlySet<number>; readonly told: Set<number> }>();
  const edgeOf = (client: string | null, server: string | null) => {
    const key = keyFor(client, server);
    const known = edges.get(key) ?? {
      whole: new Set(groupsBetween(client, server).flatMap(({ servers }) => [...servers])),
      told: new Set<number>(),
    };
    edges.set(key, known);
    return known;
  };
  for (const { id, severity, client, server, shown } of merged) {
    const { isConclusive, kind } = findings[id];
    const isError = severity === 'error';
    // An error that became a warning: the capture may be cut there.
    const isDoubted = severity === 'warning' && (kind === 'cause' || kind === 'symptom');
    if (!isError && !isDoubted) continue;
    const { whole, told } = edgeOf(client, server);
    for (const one of shown) {
      const span = one.server ?? one.client;
      const row = span === null ? none : graph.rowOf(span);
      if (span === null || told.has(row)) continue;
      const isWhole = whole.has(row);
      if (isWhole && (isDoubted || !isNew(row))) continue;
      told.add(row);
      // Of a trace whose root is not here more may come.
      const isKnown = isConclusive || isWhole || graph.isBegun(span.traceId);
      const verdict = isError && isKnown ? 'broken' : 'undecided';
      const list = isConclusive || isWhole ? final : pending;
      list.push({ client, server, verdict, cause: id, row, example: exampleOf(one) });
    }
  }
  for (const { client, peer, clients } of findUnjudged(scene, merged)) {
    for (const span of clients) {
      const example = { traceId: span.traceId, spanIds: [span.spanId] };
      const row = graph.rowOf(span);
      pending.push({ client, server: peer, verdict: 'undecided', cause: unjudged, row, example });
    }
  }
  const whole = groups.flatMap((group) => {
    const told = edges.get(keyFor(group.client, group.server))?.told;
    return listNew(graph, group, (client, server) => (isNew(client) || isNew(server)) && !told?.has(server));
  });
  return { whole, final, pending };
}

const unjudged: FindingId = 'uninstrumented-peer';

/** Whole calls of spans that no rule is asked about. */
export function countWholeCalls(graph: TraceGraph, groups: readonly CallGroup[]): readonly WholeCalls[] {
  return groups.flatMap((group) => listNew(graph, group, () => true));
}

/** A server with links may have several calls. */
function listNew(
  graph: TraceGraph,
  { client, server, clients, servers }: CallGroup,
  isMeant: (client: number, server: number) => boolean,
): readonly WholeCalls[] {
  const linked = new Set<number>();
  const rows: number[] = [];
  let last = 0;
  for (const [index, row] of servers.entries()) {
    if (linked.has(row) || !isMeant(clients[index] ?? row, row)) continue;
    if (graph.hasLinks(row)) linked.add(row);
    rows.push(row);
    last = index;
  }
  if (rows.length === 0) return [];
  const [from, to] = [graph.view(clients[last] ?? 0), graph.view(servers[last] ?? 0)];
  const example = { traceId: to.traceId, spanIds: [from.spanId, to.spanId] };
  return [{ client, server, rows, example }];
}

function exampleOf({ client, server }: Shown): CallVerdict['example'] {
  const spans = [client, server].flatMap((span) => span ?? []);
  const [first] = spans;
  // The caller's trace: there a person looks for what is missing.
  return {
    traceId: first?.traceId ?? '',
    spanIds: spans.filter(({ traceId }) => traceId === first?.traceId).map(({ spanId }) => spanId),
  };
}
