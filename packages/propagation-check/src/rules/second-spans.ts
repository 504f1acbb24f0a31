import { readAddress } from '../calls/address.ts';
import type { CallGroup } from '../calls/call-group.ts';
import type { FactSource } from '../calls/fact-source.ts';
import type { RowFacts } from '../calls/row-facts.ts';
import { none, type TraceGraph } from '../graph/trace-graph.ts';
import { areNearlyAll } from '../pairing/nearly-all.ts';
import type { Span } from '../span/span.ts';
import { keyFor, mapBy } from '../util/group-by.ts';
import type { Scene } from './scene.ts';

/**
 * Whether nearly every call without a child lies beside a whole call of the same request, and nearly every whole call to that address
 * beside one of these. Two instrumentations, or one that is loaded twice, then make two spans for one call, and the header names one of
 * them. Lost calls among parallel ones do not pair up like this.
 *
 * Two tracers of one service make the two spans in two traces.
 *
 * Source: opentelemetry-js-contrib, issue 2229; opentelemetry-java-instrumentation, issue 11401.
 */
export function areSecondSpans(scene: Scene, lonely: readonly Span[], whole: readonly CallGroup[]): boolean {
  const { graph, facts, thresholds } = scene;
  const rows = lonely.map((span) => graph.rowOf(span));
  const placeOf = facts.remember(namePlace);
  const places = new Set(rows.map(placeOf));
  const others = new Set<number>();
  for (const { clients } of whole) {
    for (let at = 0; at < clients.length; at += 1) {
      const row = clients[at] ?? none;
      if (places.has(placeOf(row))) others.add(row);
      // Stops early: most edges have more whole calls than these.
      if (others.size > rows.length / thresholds.displacedShare + 1) return false;
    }
  }
  const nearlyAllBeside = (
    nameOf: (row: number) => string,
    areOne: (one: number, other: number) => boolean,
  ) => {
    const [requests, beside] = countBeside(graph, rows, [...others], nameOf, areOne);
    return areNearlyAll(beside, requests, thresholds.displacedShare, thresholds);
  };
  return (
    nearlyAllBeside(
      (row) => keyOfCallsByParent(graph, facts, row),
      (one, other) => areOfOneCall(scene, one, other),
    ) ||
    nearlyAllBeside(
      (row) => keyFor(String(graph.serviceNumberOf(row)), facts.methodOf(row), facts.pathOf(row)),
      (one, other) => areOfTwoTracers(scene, one, other),
    )
  );
}

/** The number of requests, and the number of those in which every call lies beside another. */
function countBeside(
  graph: TraceGraph,
  lonely: readonly number[],
  whole: readonly number[],
  nameOf: (row: number) => string,
  areOne: (one: number, other: number) => boolean,
): readonly [requests: number, beside: number] {
  const byStart = (one: number, other: number): number =>
    (graph.starts[one] ?? 0) - (graph.starts[other] ?? 0);
  const wholeOf = mapBy(whole.toSorted(byStart), nameOf);
  const lonelyOf = mapBy(lonely.toSorted(byStart), nameOf);
  const beside = [...lonelyOf].filter(([request, ofRequest]) => {
    const besides = wholeOf.get(request) ?? [];
    return (
      besides.length === ofRequest.length && ofRequest.every((row, at) => areOne(row, besides[at] ?? none))
    );
  });
  return [new Set([...lonelyOf.keys(), ...wholeOf.keys()]).size, beside.length];
}

function namePlace(call: FactSource): string {
  const { host, port } = readAddress(call);
  return keyFor(host, port);
}

/** Two spans of one call have the same parent, and so the same trace and service. */
function keyOfCallsByParent(graph: TraceGraph, facts: RowFacts, row: number): string {
  const parent = graph.parents[row] ?? none;
  return keyFor(parent === none ? row : parent, facts.methodOf(row), facts.pathOf(row));
}

/**
 * Two instrumentations have two scopes. An instrumentation that is loaded twice begins and ends both spans at nearly the same time, which
 * parallel calls do not.
 */
function areOfOneCall({ graph, facts, thresholds }: Scene, one: number, other: number): boolean {
  const { starts, ends } = graph;
  const [start, end, otherStart, otherEnd] = [
    starts[one] ?? 0,
    ends[one] ?? 0,
    starts[other] ?? 0,
    ends[other] ?? 0,
  ];
  if (facts.scopeOf(one) !== facts.scopeOf(other)) return start < otherEnd && otherStart < end;
  const rounding = Number(thresholds.rounding);
  return Math.abs(start - otherStart) < rounding && Math.abs(end - otherEnd) < rounding;
}

/** The two spans are in two traces and come from two instrumentations. */
function areOfTwoTracers(scene: Scene, one: number, other: number): boolean {
  const { graph, facts } = scene;
  return (
    graph.index.traces[one] !== graph.index.traces[other] &&
    facts.scopeOf(one) !== facts.scopeOf(other) &&
    areOfOneCall(scene, one, other)
  );
}
