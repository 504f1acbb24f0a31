import { isMoreThanChance } from '../pairing/chance.ts';
import { areNearlyAllPaired, doStartsFollow, mayTimersKeepStep } from '../pairing/displaced.ts';
import { areOfDistinctPaths } from '../pairing/distinct-paths.ts';
import { areNearlyAll } from '../pairing/nearly-all.ts';
import { pairSpans } from '../pairing/pair-spans.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { type Gate, gate } from './rule.ts';
import type { SplitEdge } from './split-edge.ts';
import { whyApart } from './why-apart.ts';

/** Conditions on all pairs of an edge together, as a single pair may be a coincidence. */
export const shareGates: readonly Gate<SplitEdge>[] = [
  gate(
    'most calls to the target and most requests of the kind pair up, or the edge is expected',
    ({ scene: { thresholds }, isOnItsWay, isExpected, pairs, toTargets, alike }) =>
      !isOnItsWay ||
      isExpected ||
      (pairs.length >= toTargets.length * thresholds.splitCallsShare &&
        pairs.length >= alike.count * thresholds.splitRequestsShare),
    describeShares,
  ),
  // If the edge is whole by another way, a third party with the same paths and callers from outside look the same.
  gate(
    'nearly every call to the target and every request of the kind pair up, if the edge is whole by another way',
    (edge) => edge.isOnItsWay || areAllPaired(edge),
    describeShares,
  ),
  // A cache that answers at once revalidates in the background, while other calls are open.
  gate(
    'more calls pair up than a cache answered',
    ({ pairs, cached }) => pairs.length > cached,
    ({ pairs, cached }) => `${pairs.length} pairs, ${cached} answers of a cache`,
  ),
  // Only the expectation says that the caller passes requests on.
  gate(
    'most requests of the server are passed on',
    ({ scene: { thresholds }, arePassedOn, whole, pairs, ofServer }) =>
      !arePassedOn || whole.length > 0 || pairs.length >= ofServer * thresholds.passedOnShare,
    ({ pairs, ofServer }) => `${pairs.length} of ${countOf(ofServer, 'request')}`,
  ),
  gate(
    'pairs that agree only in time are most of the calls',
    ({ scene: { thresholds }, areSameRequests, pairs, toTargets }) =>
      areSameRequests || pairs.length >= toTargets.length * thresholds.timeOnlyShare,
    describeShares,
  ),
  gate(
    'pairs that agree only in time are several, if other calls are whole',
    ({ scene: { thresholds }, areSameRequests, whole, pairs }) =>
      areSameRequests || whole.length === 0 || pairs.length >= thresholds.fewestTimeOnly,
    ({ scene: { thresholds }, pairs }) => `${pairs.length}, at least ${thresholds.fewestTimeOnly}`,
  ),
  gate(
    'nothing is left over on either side, or fewer would pair up by chance',
    (edge) => isSaid(edge) || isAlone(edge) || isBeyondChance(edge),
    (edge) => `${describeShares(edge)}; at other times of the capture about as many pair up`,
  ),
];

/** Whether the edge is expected, and either the pairs agree in more than time or no call of the edge is whole. */
function isSaid({ isExpected, areSameRequests, whole }: SplitEdge): boolean {
  return isExpected && (areSameRequests || whole.length === 0);
}

/**
 * Whether nearly every call and every request is in a pair. One of several may be left over if SERVER spans start at a steady delay after
 * their CLIENT spans, or if there are many pairs, more than by chance, and no timer keeps step with the calls.
 */
function areAllPaired(edge: SplitEdge): boolean {
  const {
    scene: { thresholds },
    pairs,
    toTargets,
    alike,
  } = edge;
  const { length } = pairs;
  if (length >= toTargets.length * thresholds.everyCallShare && length === alike.count) return true;
  return (
    areNearlyAll(length, toTargets.length, thresholds.everyCallShare, thresholds) &&
    areNearlyAll(length, alike.count, 1, thresholds) &&
    (doStartsFollow(pairs, thresholds) ||
      (length >= thresholds.manyDisplaced &&
        !mayTimersKeepStep(pairs.map(({ client }) => client)) &&
        isBeyondChance(edge)))
  );
}

/**
 * Whether nothing, or little, is left over: left-over calls or requests may show a coincidence. An expectation allows more of them;
 * distinct paths, or requests that start with their calls, allow one.
 */
function isAlone(edge: SplitEdge): boolean {
  const { scene, isExpected, pairs, toTargets, alike } = edge;
  const { thresholds } = scene;
  const leftOver = isExpected ? thresholds.splitLeftOverExpected : thresholds.displacedLeftOver;
  const most = Math.max(toTargets.length, alike.count);
  if (areNearlyAllPaired(pairs, most, 1 / leftOver, thresholds)) return true;
  return most - pairs.length <= 1 && (areOfDistinctPaths(edge.pairs, thresholds) || isOthersCut(edge));
}

/**
 * Whether the only left-over call began before the capture, so that its SERVER span may be missing, and the other requests start with their
 * calls.
 */
function isOthersCut({ scene: { capture, thresholds }, pairs, toTargets, alike }: SplitEdge): boolean {
  if (alike.count > pairs.length || !doStartsFollow(pairs, thresholds)) return false;
  const paired = new Set(pairs.map(({ client }) => client));
  return toTargets.every((call) => paired.has(call) || call.startTimeUnixNano < capture.from);
}

function isBeyondChance({ scene, pairs, toTargets, alike }: SplitEdge): boolean {
  const { thresholds } = scene;
  const countPairs = (moved: readonly Span[]): number =>
    pairSpans(toTargets, moved, (one, other) => whyApart(scene, one, other) === null, thresholds).length;
  return isMoreThanChance(alike.list(), pairs.length, countPairs, thresholds);
}

function describeShares({ pairs, toTargets, alike }: SplitEdge): string {
  return `${countOf(pairs.length, 'pair')} of ${countOf(toTargets.length, 'call')} and ${countOf(alike.count, 'request')}`;
}
