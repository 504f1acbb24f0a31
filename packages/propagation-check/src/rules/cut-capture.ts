import { countCalls } from '../calls/call-group.ts';
import type { Span } from '../span/span.ts';
import { earlier, later } from '../util/statistics.ts';
import type { Draft, Scene, Shown } from './check.ts';
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
export function doubtAtEnds(scene: Scene, draft: Draft): Draft {
  const { fewestWholeCalls, wholeCallsShare, exportDelay } = scene.thresholds;
  const broken = draft.shown.flatMap(readEnd);
  if (draft.severity !== 'error' || !fromAbsence.has(draft.id) || broken.length === 0) return draft;
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
