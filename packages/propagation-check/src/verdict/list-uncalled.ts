import { isProbeCall } from '../calls/call-facts.ts';
import type { Roots } from '../calls/roots.ts';
import type { Draft, Scene } from '../rules/check.ts';
import { kindNumber } from '../span/span.ts';
import { countOf } from '../span/span-store.ts';
import { nameRows } from './name-rows.ts';
import { ownServiceName } from './own-service.ts';
import type { UnjudgedEdge } from './result.ts';

/**
 * Requests and messages that began traces at a service where callers from outside are not the only explanation: nothing else is seen of the
 * service, other calls of the same endpoint are whole, or it was a message, which some program sent. Only beside whole calls: where
 * there are none, nothing is judged anyway.
 *
 * @param listed What is left open of other callers, who are named.
 */
export function listUncalled(
  scene: Scene,
  roots: Roots,
  drafts: readonly Draft[],
  listed: readonly UnjudgedEdge[],
): readonly UnjudgedEdge[] {
  if (!scene.groups.some(isBetweenServices)) return [];
  return roots.services().flatMap((service) => {
    const isSpokenOf =
      drafts.some(
        ({ severity, client, server }) => severity !== 'info' && (client === service || server === service),
      ) ||
      listed.some(({ peer }) => peer === service) ||
      scene.expectation.edges.some(({ server }) => server === service);
    if (service === null || isSpokenOf) return [];
    return [kindNumber.server, kindNumber.consumer].flatMap((kind) => {
      const calls = countUncalled(scene, roots, service, kind);
      const protocol = kind === kindNumber.consumer ? { protocol: 'messaging' as const } : {};
      return calls === 0 ? [] : [{ client: null, peer: service, calls, ...protocol }];
    });
  });
}

function isBetweenServices({ client, server }: Scene['groups'][number]): boolean {
  return client !== server && client !== ownServiceName;
}

function countUncalled(scene: Scene, roots: Roots, service: string, kind: number): number {
  const { graph, facts } = scene;
  const isProbe = facts.remember(isProbeCall);
  const isAlike =
    kind === kindNumber.consumer || takesNoPart(scene, service) ? () => true : isCalled(scene, service);
  return roots.sum(service, (row) =>
    graph.store.kinds[row] === kind && !isProbe(row) && isAlike(row) ? countOf(graph.store, row) : 0,
  );
}

/** A service that nobody here calls, and that shows no call. */
function takesNoPart({ groups, services }: Scene, service: string): boolean {
  return (
    !services.isCalling(service) &&
    !groups.some(
      (group) => isBetweenServices(group) && (group.client === service || group.server === service),
    )
  );
}

/** Whether other services call the endpoint of a row. */
function isCalled(scene: Scene, service: string): (row: number) => boolean {
  const nameEndpoint = nameRows(scene);
  const called = new Set(
    scene
      .groupsInto(service)
      .filter(isBetweenServices)
      .flatMap(({ servers }) => Array.from(servers, nameEndpoint)),
  );
  return (row) => called.has(nameEndpoint(row));
}
