import { type CallGroup, measureLag, weighCalls } from '../calls/call-group.ts';
import type { TraceGraph } from '../graph/trace-graph.ts';
import type { Span } from '../span/span.ts';
import { earlier, later } from '../util/statistics.ts';
import { isCovered } from './coverage.ts';
import type { Doubt, Draft } from './draft.ts';
import type { FindingId } from './finding.ts';
import type { Scene } from './scene.ts';
import { listStepsToDecide } from './steps-to-decide.ts';

/** Findings that are argued from spans that are not there. */
const fromAbsence: ReadonlySet<FindingId> = new Set<FindingId>([
  'missing-client',
  'missing-server',
  'client-span-lost',
  'server-span-lost',
]);

/**
 * A capture may begin and end anywhere, and each process exports when it likes, so that spans of its first and last seconds may have
 * been exported before or after it. An error of those times alone, on a service whose calls between them are whole, becomes a warning.
 */
export function doubtAtEnds(scene: Scene, orphans: readonly Span[], draft: Draft): Draft {
  const { id, severity } = draft;
  if (severity !== 'error' || !fromAbsence.has(id)) return draft;
  const isCut =
    isCutBetween(scene, orphans, draft) || isCutAtEnds(scene, draft) || isOutsideOfServer(scene, draft);
  if (!isCut) return draft;
  // Where the cause is open as well, the steps that decide it stay.
  const steps = draft.candidates === undefined ? [] : listStepsToDecide(draft);
  return { ...draft, severity: 'warning', doubt: { ...cut, decide: [...cut.decide, ...steps] } };
}

const cut: Doubt = {
  says: 'The capture may begin or end between the two sides.',
  decide: ['Capture for longer and check again.'],
};

/** Whether the called service, of which other calls are whole, delivered no span from before and after these: it may export later than usual. */
function isOutsideOfServer(scene: Scene, { id, client, server, shown }: Draft): boolean {
  const whole = scene.groupsBetween(client, server);
  if (id !== 'missing-server' || whole.length === 0) return false;
  const lag = measureLag(whole, 'server');
  return shown.every(
    ({ client: call }) =>
      call !== null && !isCovered(scene, server, call.startTimeUnixNano, call.endTimeUnixNano + lag),
  );
}

/** Whether most whole calls lie between the broken ones of the beginning and those of the end. */
function isCutAtEnds(scene: Scene, { client, server, shown }: Draft): boolean {
  const { graph, thresholds, capture } = scene;
  const { fewestWholeCalls, wholeCallsShare, exportDelay } = thresholds;
  const whole = server === null ? scene.groupsFrom(client) : scene.groupsInto(server);
  const calls = weighCalls(graph, whole);
  if (calls < Math.max(fewestWholeCalls, shown.length)) return false;
  const ends = shown.flatMap((one) => (one.server ?? one.client)?.endTimeUnixNano ?? []);
  const middle = (capture.from + capture.to) / 2n;
  // Those of one end, or of both.
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
 * Whether the capture may begin or end between the two sides of these calls: the missing spans end with their calls, before the
 * first span of the caller that was exported in it or after the last; or spans of the called service are there in traces of
 * which nothing above them is, while these have their roots. An expectation says that the caller's spans should be here.
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
    // A single trace was asked for as a whole.
    graph.traceCount > 1
  );
}
