import { groupCalls, measureLag } from '../calls/call-group.ts';
import type { Span } from '../span/span.ts';
import { keyFor } from '../util/group-by.ts';
import type { Scene } from './scene.ts';

/**
 * Whether a service would have delivered a span that ended between two times. Spans are delivered when they end, and
 * the beginning and the end of a capture cut traces: what a service may have delivered before its first span
 * of the capture, or after its last, proves nothing.
 */
export function isCovered(scene: Scene, service: string | null, from: bigint, to: bigint): boolean {
  const coverage = scene.coverage(service);
  return coverage === null || (coverage.from <= from && coverage.to >= to);
}

/**
 * Whether the missing parent of a span would be in the data, had it been delivered: some known caller of its service
 * delivered spans that ended when the parent should have, which is after its child by as much as in whole calls.
 */
export function isParentDue(scene: Scene, server: Span): boolean {
  const edges = groupCalls(scene.groupsInto(server.serviceName), ({ client }) => keyFor(client));
  if (edges.length === 0) return true;
  return edges.some((groups) => {
    const caller = groups[0]?.client ?? null;
    const end = server.endTimeUnixNano + measureLag(groups, 'client');
    return isCovered(scene, caller, server.startTimeUnixNano, end);
  });
}
