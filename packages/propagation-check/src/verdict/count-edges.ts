import { type CallGroup, groupCalls } from '../calls/call-group.ts';
import { none, type TraceGraph } from '../graph/trace-graph.ts';
import type { Draft, Shown } from '../rules/draft.ts';
import type { Scene } from '../rules/scene.ts';
import type { Span } from '../span/span.ts';
import { weightOf } from '../span/span-store.ts';
import type { Group } from '../util/group-by.ts';
import { sumOf } from '../util/statistics.ts';
import { chooseCalls } from './choose-calls.ts';
import { leavesOpen } from './leaves-open.ts';
import type { OpenCalls } from './open-calls.ts';
import { type EdgeResult, nameEdge, type Place } from './result.ts';

/** An edge while its calls are counted. */
interface Counted {
  readonly edge: Place;
  /** Whole calls that are not broken. */
  whole: number;
  /** How many calls each span of a broken call stands for. */
  readonly broken: Map<number, number>;
  /** How many calls each span of an unjudged call stands for. */
  readonly unjudged: Map<number, number>;
  /** Servers of whole calls that a warning doubts. */
  readonly doubtful: Set<number>;
  /** The number of doubtful calls. */
  doubted: number;
  isOpenOnBothSides: boolean;
  /** Whole calls that went through another service, by that service. */
  readonly past: Map<string | null, number>;
}

/**
 * Counts each call once; a call that an error shows is broken.
 * @param passed The service through which each server was called.
 * @param open Counted only on edges that have other calls.
 */
export function countEdges(
  scene: Scene,
  drafts: readonly Draft[],
  passed: ReadonlyMap<number, string | null>,
  open: readonly OpenCalls[],
): readonly EdgeResult[] {
  const { graph, groups } = scene;
  const edges = new Map<string, Counted>();
  const edgeOf = (place: Place): Counted => {
    const key = nameEdge(place);
    const known = edges.get(key) ?? createCounted(place);
    edges.set(key, known);
    return known;
  };
  const alike = groupCalls(groups, nameEdge);
  for (const [first] of alike) edgeOf(first);
  for (const draft of drafts) {
    if (draft.doubt !== undefined) markDoubtful(graph, edges.get(nameEdge(draft)), draft);
    const isError = draft.severity === 'error';
    if (!isError && (!leavesOpen(draft) || draft.shown.length === 0)) continue;
    countShownCalls(graph, edgeOf(draft)[isError ? 'broken' : 'unjudged'], draft);
  }
  for (const one of open) {
    const known = edges.get(nameEdge(one));
    if (known !== undefined && one.isOnBothSides === true) known.isOpenOnBothSides = true;
    for (const span of one.spans) known?.unjudged.set(graph.rowOf(span), weighSpan(graph, span));
  }
  for (const ofEdge of alike) countWhole(scene, edgeOf(ofEdge[0]), ofEdge, passed);
  return [...edges.values()].map(describeEdge);
}

function createCounted({ client, server, protocol }: Place): Counted {
  return {
    edge: { client, server, protocol },
    whole: 0,
    broken: new Map(),
    unjudged: new Map(),
    doubtful: new Set(),
    doubted: 0,
    isOpenOnBothSides: false,
    past: new Map(),
  };
}

function markDoubtful(graph: TraceGraph, counted: Counted | undefined, { shown }: Draft): void {
  for (const { server } of shown) if (server !== null) counted?.doubtful.add(graph.rowOf(server));
}

function countShownCalls(graph: TraceGraph, counts: Counted['broken'], draft: Draft): void {
  for (const shown of draft.shown) {
    const span = shown.server ?? shown.client;
    if (span !== null) counts.set(graph.rowOf(span), countShown(graph, shown));
  }
}

/** How many calls a shown call stands for. If both sides are loose ends, the source may have sampled one side more than the other. */
export function countShown(graph: TraceGraph, { client, server }: Shown): number {
  return Math.max(weighSpan(graph, client), weighSpan(graph, server));
}

function weighSpan(graph: TraceGraph, span: Span | null): number {
  return span === null ? 1 : weightOf(graph.store, graph.rowOf(span));
}

function countWhole(
  scene: Scene,
  counted: Counted,
  groups: Group<CallGroup>,
  passed: ReadonlyMap<number, string | null>,
): void {
  const { store } = scene.graph;
  const isCallOf = chooseCalls(scene, groups, (server) => counted.broken.has(server));
  for (const group of groups) {
    const { clients, servers } = group;
    const isCall = isCallOf(group);
    for (let at = 0; at < servers.length; at += 1) {
      const server = servers[at] ?? none;
      if (counted.broken.has(server) || !isCall(clients[at] ?? none, server)) continue;
      const count = weightOf(store, server);
      counted.whole += count;
      if (counted.doubtful.has(server)) counted.doubted += count;
      const past = passed.size === 0 ? undefined : passed.get(server);
      if (past !== undefined) counted.past.set(past, (counted.past.get(past) ?? 0) + count);
    }
  }
}

function describeEdge({ edge, whole, doubted, isOpenOnBothSides, past, ...counts }: Counted): EdgeResult {
  const [broken, unjudged, passed] = [
    sumOf(counts.broken.values()),
    sumOf(counts.unjudged.values()),
    sumOf(past.values()),
  ];
  const [most] = [...past].sort(([, one], [, other]) => other - one);
  return {
    ...edge,
    calls: whole + broken,
    broken,
    ...(unjudged === 0 ? {} : { unjudged }),
    ...(doubted === 0 ? {} : { doubtful: doubted }),
    ...(isOpenOnBothSides ? { openOnBothSides: true } : {}),
    ...(most === undefined ? {} : { past: { service: most[0], calls: passed } }),
  };
}
