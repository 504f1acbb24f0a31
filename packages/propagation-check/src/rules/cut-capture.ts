import { countCalls } from '../calls/call-group.ts';
import type { Span } from '../span/span.ts';
import { earlier, later } from '../util/statistics.ts';
import type { Coverage, Draft, Scene, Shown } from './check.ts';
import type { FindingId } from './finding.ts';

/** Findings that are argued from spans that are not there. */
const fromAbsence: ReadonlySet<FindingId> = new Set<FindingId>([
  'missing-client',
  'missing-server',
  'client-span-lost',
  'server-span-lost',
]);

/**
 * A capture may begin and end anywhere, and each process exports when it likes, so that spans of its first and last seconds may have
 * been exported before or after it. An error of that time alone, on a service whose calls are whole otherwise, becomes a warning.
 */
export function doubtAtEnds(scene: Scene, orphans: readonly Span[], draft: Draft): Draft {
  const { fewestWholeCalls, wholeCallsShare, exportDelay } = scene.thresholds;
  const broken = draft.shown.flatMap(readEnd);
  if (draft.severity !== 'error' || !fromAbsence.has(draft.id) || broken.length === 0) return draft;
  if (isCutBetween(scene, orphans, draft)) return { ...draft, severity: 'warning' };
  const { graph } = scene;
  const whole =
    draft.server === null
      ? scene.groups.filter(({ client }) => client === draft.client)
      : scene.groupsInto(draft.server);
  const calls = countCalls(whole);
  if (calls < Math.max(fewestWholeCalls, broken.length)) return draft;
  const countServers = (isMeant: (end: number) => boolean): number =>
    whole.reduce(
      (sum, { servers }) => sum + servers.filter((row) => isMeant(graph.ends[row] ?? 0)).length,
      0,
    );
  const { from, to } = scene.capture;
  const [first, last] = [broken.reduce(earlier), broken.reduce(later)];
  const most = calls * wholeCallsShare;
  const [firstEnd, lastEnd] = [Number(first - graph.store.origin), Number(last - graph.store.origin)];
  const isCut =
    (first >= to - exportDelay && countServers((end) => end < firstEnd) >= most) ||
    (last <= from + exportDelay && countServers((end) => end > lastEnd) >= most);
  return isCut ? { ...draft, severity: 'warning' } : draft;
}

function readEnd({ client, server }: Shown): readonly bigint[] {
  const span: Span | null = server ?? client;
  return span === null ? [] : [span.endTimeUnixNano];
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
    shown.every(({ server: span }) => span !== null && !isWithin(covered, span.endTimeUnixNano)) &&
    // A single trace was asked for as a whole.
    graph.traceCount > 1
  );
}

function isWithin({ from, to }: Coverage, time: bigint): boolean {
  return from <= time && time <= to;
}
