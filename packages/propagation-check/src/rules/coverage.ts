import { measureLag } from '../calls/call-group.ts';
import type { Span } from '../span/span.ts';
import { mapBy } from '../util/group-by.ts';
import type { Scene } from './scene.ts';

/**
 * Whether the capture would hold a span of the service that ended between the two times. Spans are delivered when they end, so before the
 * first delivered span of a service and after its last, a missing span proves nothing.
 */
export function isCovered(scene: Scene, service: string | null, from: bigint, to: bigint): boolean {
  const coverage = scene.coverage(service);
  return coverage === null || (coverage.from <= from && coverage.to >= to);
}

/**
 * Whether the capture would hold the missing parent of a SERVER span: a known caller of its service delivered spans that ended when the
 * parent should have ended. A parent ends after its child by as much as in whole calls.
 */
export function isParentDue(scene: Scene, server: Span): boolean {
  const callers = mapBy(scene.groupsInto(server.serviceName), ({ client }) => client);
  if (callers.size === 0) return true;
  return [...callers].some(([caller, groups]) => {
    const end = server.endTimeUnixNano + measureLag(groups, 'client');
    return isCovered(scene, caller, server.startTimeUnixNano, end);
  });
}
