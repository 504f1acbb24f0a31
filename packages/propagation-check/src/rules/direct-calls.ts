import { type Call, viewCalls } from '../calls/call-group.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import type { Scene } from './scene.ts';

/**
 * Calls of the caller that services continued which the called service is expected to call: that one handed the context on and left no span. It may
 * have spans of other requests, as where the instrumentation of one of its servers is missing.
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
