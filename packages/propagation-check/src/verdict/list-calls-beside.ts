import { nameEndpoints } from '../calls/endpoint.ts';
import { isHealthProbe } from '../calls/probes.ts';
import { groupCallsByRequest, hasOpenCall } from '../rules/calls-of-requests.ts';
import { pairWithin } from '../rules/partly-missing-calls.ts';
import type { Open, Scene } from '../rules/scene.ts';
import type { Span } from '../span/span.ts';
import { groupBy } from '../util/group-by.ts';
import { chooseRoots, type Sides } from './choose-roots.ts';
import { pairFirst } from './pair-first.ts';

/**
 * Roots of the callee, at endpoints that the caller is not seen to call, within requests of the caller that do call the callee. Each
 * request of a route encloses such a root and waited for it, while none of its own calls was open. A second, uninstrumented client library
 * looks like this.
 */
export function listCallsBeside(scene: Scene, roots: Open['roots'], edge: Sides): readonly Span[] {
  const { graph, thresholds } = scene;
  const possible = roots
    .select(chooseRoots(scene, edge, 'others'), edge.server)
    .filter((root) => !isHealthProbe(root));
  if (possible.length < thresholds.fewestDisplaced) return [];
  const callers = new Set(
    scene
      .groupsBetween(edge.client, edge.server)
      .flatMap(({ clients }) => Array.from(clients, (row) => graph.topInService(row))),
  );
  const requests = scene
    .selectSpans(edge.client, (row) => graph.isEntry(row) && callers.has(row))
    .filter((request) => !isHealthProbe(request));
  const first = pairFirst(requests, possible, thresholds);
  // For most services the first roots already show that callers from outside made them; then not all are paired.
  if (first.pairs.length < first.unpaired.length * thresholds.everyRequestShare) return [];
  const calls = groupCallsByRequest(
    scene,
    scene.selectSpans(edge.client, (row) => scene.facts.isOutgoing(row)),
  );
  const isBetweenCalls = (request: Span, root: Span): boolean => !hasOpenCall(calls, request, root);
  const endpointOf = nameEndpoints(requests);
  const pairs = groupBy(requests, endpointOf).flatMap((ofRoute) =>
    pairWithin(ofRoute, possible, isBetweenCalls, endpointOf, thresholds),
  );
  const found = [...new Set(pairs.map(({ server }) => server))];
  // A caller from outside would send some at other times.
  const isEach =
    found.length >= thresholds.fewestDisplaced &&
    found.length >= possible.length * thresholds.everyRequestShare;
  return isEach ? found : [];
}
