import { type CallGroup, measureLag, weighCalls } from '../calls/call-group.ts';
import type { TraceGraph } from '../graph/trace-graph.ts';
import type { Span } from '../span/span.ts';
import { earlier, later } from '../util/statistics.ts';
import { isCovered } from './coverage.ts';
import type { Doubt, Draft } from './draft.ts';
import type { FindingId } from './finding.ts';
import type { Scene } from './scene.ts';
import { listStepsToDecide } from './steps-to-decide.ts';

/** Findings that rest on missing spans. */
const fromAbsence: ReadonlySet<FindingId> = new Set<FindingId>([
  'missing-client',
  'missing-server',
  'client-span-lost',
  'server-span-lost',
]);

/**
 * A capture may begin and end at any time, and each process exports on its own schedule, so spans of the first and last seconds may have
 * been exported outside the capture. An error that lies only there becomes a warning if the calls of the service in between are whole.
 */
export function doubtAtEnds(scene: Scene, orphans: readonly Span[], draft: Draft): Draft {
  const { id, severity } = draft;
  if (severity !== 'error' || !fromAbsence.has(id)) return draft;
  const isCut =
    isCutBetween(scene, orphans, draft) || isCutAtEnds(scene, draft) || isOutsideOfServer(scene, draft);
  if (!isCut) return draft;
  // If the cause is undecided too, the steps that decide it stay.
  const steps = draft.candidates === undefined ? [] : listStepsToDecide(draft);
  return { ...draft, severity: 'warning', doubt: { ...cut, decide: [...cut.decide, ...steps] } };
}

const cut: Doubt = {
  says: 'The capture may begin or end between the two sides.',
  decide: ['Capture for longer and check again.'],
};

/**
 * Whether other calls to the called service are whole, but it delivered no span from before and after these calls: it may export later than
 * usual.
 */
function isOutsideOfServer(scene: Scene, { id, client, server, shown }: Draft): boolean {
  const whole = scene.groupsBetween(client, server);
  if (id !== 'missing-server' || whole.length === 0) return false;
  const lag = measureLag(whole, 'server');
  return shown.every(
    ({ client: call }) =>
      call !== null && !isCovered(scene, server, call.startTimeUnixNano, call.endTimeUnixNano + lag),
  );
}

/** Whether most whole calls lie between the broken calls at the beginning of the capture and those at its end. */
function isCutAtEnds(scene: Scene, { client, server, shown }: Draft): boolean {
  const { graph, thresholds, capture } = scene;
  const { fewestWholeCalls, wholeCallsShare, exportDelay } = thresholds;
  const whole = server === null ? scene.groupsFrom(client) : scene.groupsInto(server);
  const calls = weighCalls(graph, whole);
  if (calls < Math.max(fewestWholeCalls, shown.length)) return false;
  const ends = shown.flatMap((one) => (one.server ?? one.client)?.endTimeUnixNano ?? []);
  const middle = (capture.from + capture.to) / 2n;
  // The broken calls may lie at either end, or at both.
  return [capture.from, middle, capture.to + 1n].some((border) => {
    const from = ends.filter((end) => end < border).reduce(later, capture.from - 1n);
    const to = ends.filter((end) => end >= border).reduce(earlier, capture.to + 1n);
    if (from > capture.from + exportDelay || to < capture.to - exportDelay) return false;
    return countBetween(graph, whole, from, to) >= calls * wholeCallsShare;
  });
}

function countBetween(graph: TraceGraph, groups: readonly CallGroup[], from: bigint, to: bigint): number {
  const [first, last] = [Number(from - graph.store.origin), Number(to - graph.store.origin)];
  const isBetween = (row: number): boolean => {
    const end = graph.ends[row] ?? 0;
    return first < end && end < last;
  };
  return weighCalls(graph, groups, isBetween);
}

const callerIsMissing: ReadonlySet<FindingId> = new Set<FindingId>(['missing-client', 'client-span-lost']);

/**
 * Whether the capture may begin or end between the two sides of these calls. Either all SERVER spans ended before the first span that the
 * caller delivered or after the last. Or the capture also holds spans of the called service in traces whose beginning is missing, while
 * these traces have their roots. Not if the edge is expected: then the caller's spans should be here.
 */
function isCutBetween(
  { graph, coverage, expectation }: Scene,
  orphans: readonly Span[],
  { id, client, server, shown }: Draft,
): boolean {
  const isExpected = expectation.edges.some((edge) => edge.server === server && edge.rule === 'must');
  if (!callerIsMissing.has(id) || isExpected) return false;
  const traces = new Set(shown.map((one) => (one.server ?? one.client)?.traceId));
  const isRagged = orphans.some(
    ({ serviceName, traceId }) => serviceName === server && !traces.has(traceId) && !graph.isBegun(traceId),
  );
  if (isRagged && shown.some((one) => one.server !== null && graph.isBegun(one.server.traceId))) return true;
  const covered = client === null ? null : coverage(client);
  return (
    covered !== null &&
    shown.every(
      ({ server: span }) =>
        span !== null && (span.endTimeUnixNano < covered.from || span.endTimeUnixNano > covered.to),
    ) &&
    // A single trace was fetched as a whole.
    graph.traceCount > 1
  );
}
