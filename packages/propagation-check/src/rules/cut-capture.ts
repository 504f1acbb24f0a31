import type { Span } from '../span/span.ts';
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
  const calls =
    draft.server === null
      ? scene.calls.filter(({ client }) => client.serviceName === draft.client)
      : scene.callsInto(draft.server);
  const whole = calls.map(({ server }) => server.endTimeUnixNano);
  if (whole.length < Math.max(fewestWholeCalls, broken.length)) return draft;
  const { from, to } = scene.capture;
  const [first, last] = [broken.reduce(earlier), broken.reduce(later)];
  const most = whole.length * wholeCallsShare;
  const isCut =
    (first >= to - exportDelay && whole.filter((end) => end < first).length >= most) ||
    (last <= from + exportDelay && whole.filter((end) => end > last).length >= most);
  return isCut ? { ...draft, severity: 'warning' } : draft;
}

function readEnd({ client, server }: Shown): readonly bigint[] {
  const span: Span | null = server ?? client;
  return span === null ? [] : [span.endTimeUnixNano];
}

function earlier(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

function later(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
