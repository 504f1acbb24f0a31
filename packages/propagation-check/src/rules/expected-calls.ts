import { isSameEdge } from '../calls/same-edge.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import type { Draft } from './draft.ts';
import type { BaseScene, Open, Scene } from './scene.ts';
import { countUnlinked, listUnprovable } from './unprovable.ts';

/**
 * Whether a pair of loose ends can be one call, by what is expected of the server. When others are expected to call
 * it, one of them must be there and make no calls: a dark one stood in between, and one that calls explains it.
 */
export function isPlausible(scene: Scene, client: string | null, server: string | null): boolean {
  if (isExpectedCaller(scene, client, server)) return true;
  return scene.expectation.edges
    .filter((edge) => edge.server === server && edge.rule !== 'must-not')
    .some((edge) => scene.services.has(edge.client) && !scene.services.isCalling(edge.client));
}

/** Edges that must exist, have no whole call and none that may be one unseen, and are in no report of an earlier rule. */
export function listUnseenEdges(scene: Scene, open: Open): readonly ExpectedEdge[] {
  return scene.expectation.edges.filter(
    (edge) =>
      edge.rule === 'must' &&
      !hasCall(scene, edge.client, edge.server) &&
      !scene.shared.isReachedThrough(edge.client, edge.server) &&
      listUnprovable(scene, open.clients, edge).length === 0 &&
      countUnlinked(scene, edge) === 0 &&
      findUnnamedSide(scene, edge, open.found) === null &&
      !hasError(open, edge) &&
      !open.found.some((draft) => draft.id === 'missing-server' && isSameEdge(draft, edge)),
  );
}

/** Whether an error of the edge is reported already. */
export function hasError({ found }: Pick<Open, 'found'>, edge: Pick<Draft, 'client' | 'server'>): boolean {
  return found.some((draft) => draft.severity === 'error' && isSameEdge(draft, edge));
}

/** Whether the expectations speak of a service. */
export function isInExpectation({ expectation }: BaseScene, service: string | null): boolean {
  return expectation.edges.some((edge) => edge.client === service || edge.server === service);
}

/** A service of an edge that is expected, has no spans, and may be the one without a name on the other side of calls. */
export interface UnnamedSide {
  readonly side: 'client' | 'server';
  /** Of the service without a name. */
  readonly as: string | null;
}

/** @param broken Reports of calls that are not whole. */
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
  // A report without a name on one side may know nothing of that side.
  const found = calls.find(
    (call) => call[other] === known && isUnnamed(call[side]) && scene.services.has(call[side]),
  );
  return found === undefined ? null : { side, as: found[side] };
}

/** SDKs write `unknown_service` where nobody gave a name (semantic conventions, resource, "service.name"). */
export function isUnnamed(service: string | null): boolean {
  return service === null || /^unknown_service(:|$)/.test(service);
}

export function hasCall(scene: BaseScene, client: string | null, server: string | null): boolean {
  return scene.groupsBetween(client, server).length > 0;
}

/**
 * Whether the expectations allow a direct call: without a word about the server every call is, and so is that of a
 * sidecar or a gateway of which they do not speak and other calls are whole.
 */
export function isExpectedCaller(scene: Scene, client: string | null, server: string | null): boolean {
  if (scene.expectation.edges.length === 0) return true;
  const callers = scene.expectation.edges.filter(
    (edge) => edge.server === server && edge.rule !== 'must-not',
  );
  if (callers.length === 0 || callers.some((edge) => edge.client === client)) return true;
  return !isInExpectation(scene, client) && hasCall(scene, client, server);
}
