import { type Call, viewCalls } from '../calls/call-group.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import type { Scene } from './scene.ts';

/**
 * Calls of the caller that were continued by services which only the called service is expected to call: it passed the context on and left
 * no span in these traces. It may have spans of other requests, for example if only one of its servers is not instrumented.
 */
export function listDirectCalls(scene: Scene, { client, server }: ExpectedEdge): readonly Call[] {
  const beyond = new Set<string | null>(
    scene.expectation.edges.filter((next) => next.client === server).map((next) => next.server),
  );
  const calls = viewCalls(
    scene.graph,
    scene.groupsFrom(client).filter((group) => beyond.has(group.server)),
  );
  if (calls.length === 0 || !scene.services.has(server)) return calls;
  const reached = new Set(scene.spansOf(server).map(({ traceId }) => traceId));
  return calls.filter(
    (call) =>
      !reached.has(call.client.traceId) && !scene.shared.isExpectedDirectly(client, call.server.serviceName),
  );
}
