import { type CallGroup, countCalls } from '../calls/call-group.ts';
import { none, type Rows, type TraceGraph } from '../graph/trace-graph.ts';
import type { Span } from '../span/span.ts';
import { formatMilliseconds } from './rule.ts';
import type { Scene } from './scene.ts';

/**
 * Whether a cache gave the answers of the calls without a SERVER span. It did if they usually took half the time of whole calls and all
 * were faster than every whole call, or if there are several and most were faster than nearly all whole calls. Lost calls have ordinary
 * durations.
 */
export function isFasterThanServer(
  scene: Scene,
  lonely: readonly Span[],
  groups: readonly CallGroup[],
): boolean {
  const { thresholds, graph } = scene;
  const quick = sortDurations(graph, lonely);
  const [slowest, usual] = [quick.at(-1) ?? 0, quick[quick.length >> 1] ?? 0];
  if (areMostlyFaster(scene, groups, usual / thresholds.cachedDuration)) return false;
  const whole = measureDurations(scene, groups);
  const usuallyAnswered = whole[whole.length >> 1] ?? 0;
  if (slowest < (whole[0] ?? 0)) return true;
  const nearlyAll = whole[Math.floor(whole.length * thresholds.quickestAnswers)] ?? 0;
  return quick.length >= thresholds.fewestCached && slowest < usuallyAnswered && usual < nearlyAll;
}

export function describeDurations(
  scene: Scene,
  lonely: readonly Span[],
  groups: readonly CallGroup[],
): string {
  const describeMedian = (sorted: Float64Array): string =>
    formatMilliseconds(sorted[sorted.length >> 1] ?? 0);
  return `usually ${describeMedian(sortDurations(scene.graph, lonely))}, whole calls ${describeMedian(measureDurations(scene, groups))}`;
}

function sortDurations(graph: TraceGraph, spans: readonly Span[]): Float64Array {
  const durations = new Float64Array(spans.length);
  spans.forEach((span, at) => {
    const row = graph.rowOf(span);
    durations[at] = (graph.ends[row] ?? 0) - (graph.starts[row] ?? 0);
  });
  return durations.sort();
}

/**
 * Whether more than half of the answered calls took less time. It stops as soon as the answer is known, on most edges after half of the
 * calls.
 */
function areMostlyFaster(scene: Scene, groups: readonly CallGroup[], duration: number): boolean {
  const counts = { answered: 0, faster: 0, half: countCalls(groups) / 2 };
  for (const { clients } of groups) addFaster(counts, scene, clients, duration);
  return counts.faster > counts.answered / 2;
}

/** Counts until more than `half` are faster. A function of its own, so that V8 compiles the loop once and not once for each edge. */
function addFaster(
  counts: { answered: number; faster: number; readonly half: number },
  { graph: { starts, ends }, facts }: Scene,
  rows: Rows,
  duration: number,
): void {
  for (let at = 0; at < rows.length && counts.faster <= counts.half; at += 1) {
    const row = rows[at] ?? none;
    if (facts.outcomeOf(row) !== 'answered') continue;
    counts.answered += 1;
    if ((ends[row] ?? 0) - (starts[row] ?? 0) < duration) counts.faster += 1;
  }
}

/** The durations of the answered calls, ascending. */
function measureDurations(
  { graph: { starts, ends }, facts }: Scene,
  groups: readonly CallGroup[],
): Float64Array {
  const durations = new Float64Array(countCalls(groups));
  let count = 0;
  for (const { clients } of groups) {
    for (let at = 0; at < clients.length; at += 1) {
      const row = clients[at] ?? none;
      if (facts.outcomeOf(row) !== 'answered') continue;
      durations[count] = (ends[row] ?? 0) - (starts[row] ?? 0);
      count += 1;
    }
  }
  return durations.subarray(0, count).sort();
}
