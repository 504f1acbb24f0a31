import { isSameEdge } from '../calls/same-edge.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import type { Draft } from './draft.ts';
import type { BaseScene, Open, Scene } from './scene.ts';
import { countUnlinked, listUnprovable } from './unprovable.ts';

/**
 * Whether a pair of loose ends can be one call, given the expected callers of the server. If only other callers are expected, one of them
 * must have spans and make no calls: an expected caller without spans stood in between, and one that makes calls explains the request.
 */
export function isPlausible(scene: Scene, client: string | null, server: string | null): boolean {
  if (isExpectedCaller(scene, client, server)) return true;
  return scene.shared
    .callersExpectedOf(server)
    .some((caller) => scene.services.has(caller) && !scene.services.isCalling(caller));
}

/** Edges that must exist, but have no whole call, no call that may be whole without proof, and no report of an earlier rule. */
export function listUnseenEdges(scene: Scene, open: Open): readonly ExpectedEdge[] {
  return scene.expectation.edges.filter(
    (edge) =>
      edge.rule === 'must' &&
      !hasCall(scene, edge.client, edge.server) &&
      !scene.shared.isReachedThrough(edge.client, edge.server) &&
      listUnprovable(scene, open.clients, edge).length === 0 &&
      countUnlinked(scene, edge) === 0 &&
      findUnnamedSide(scene, edge, open.found) === null &&
      !hasError(open, edge),
  );
}

export function hasError({ found }: Pick<Open, 'found'>, edge: Pick<Draft, 'client' | 'server'>): boolean {
  return found.some((draft) => draft.severity === 'error' && isSameEdge(draft, edge));
}

/** Whether an expectation names the service. */
export function isInExpectation({ expectation }: BaseScene, service: string | null): boolean {
  return expectation.edges.some((edge) => edge.client === service || edge.server === service);
}

/** A service of an expected edge that has no spans under its name, but may be the service without a name on the other side of calls. */
export interface UnnamedSide {
  readonly side: 'client' | 'server';
  /** The `service.name` of that service, which is null or `unknown_service`. */
  readonly as: string | null;
}

/** @param broken Reports about broken calls. */
export function findUnnamedSide(
  scene: Scene,
  { client, server }: Omit<ExpectedEdge, 'rule'>,
  broken: readonly Pick<Draft, 'client' | 'server' | 'severity'>[],
): UnnamedSide | null {
  if (scene.services.has(client) === scene.services.has(server)) return null;
  const [side, other, known] = scene.services.has(client)
    ? (['server', 'client', client] as const)
    : (['client', 'server', server] as const);
  const calls = [...scene.groups, ...broken.filter(({ severity }) => severity === 'error')];
  // A report with null on one side may only lack information about that side.
  const found = calls.find(
    (call) => call[other] === known && isUnnamed(call[side]) && scene.services.has(call[side]),
  );
  return found === undefined ? null : { side, as: found[side] };
}

/** SDKs write `unknown_service` if no name is configured (semantic conventions, resource, "service.name"). */
export function isUnnamed(service: string | null): boolean {
  return service === null || /^unknown_service(:|$)/.test(service);
}

export function hasCall(scene: BaseScene, client: string | null, server: string | null): boolean {
  return scene.groupsBetween(client, server).length > 0;
}

/**
 * Whether the expectations allow a direct call. If no edge names the server, every call is allowed. So are calls of a sidecar or gateway
 * that no edge names and whose other calls are whole.
 */
export function isExpectedCaller(scene: Scene, client: string | null, server: string | null): boolean {
  const callers = scene.shared.callersExpectedOf(server);
  if (callers.length === 0 || (client !== null && callers.includes(client))) return true;
  return !isInExpectation(scene, client) && hasCall(scene, client, server);
}
