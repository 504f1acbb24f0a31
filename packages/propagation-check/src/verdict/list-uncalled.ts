import type { CallGroup } from '../calls/call-group.ts';
import { isEmptyPoll, readDestination, readOperation } from '../calls/messaging-facts.ts';
import { ownServiceName } from '../calls/own-service.ts';
import { isProbeCall } from '../calls/probes.ts';
import type { Roots } from '../calls/roots.ts';
import type { Draft } from '../rules/draft.ts';
import type { Scene } from '../rules/scene.ts';
import { isToleratedEdge } from '../rules/tolerated-peer.ts';
import { type Span, spanKinds } from '../span/span.ts';
import { remember } from '../util/remember.ts';
import { countCalls, type UnjudgedCalls } from './list-unjudged.ts';
import { nameRows } from './name-rows.ts';
import type { PossibleSides } from './possible-sides.ts';

/**
 * Requests and messages that began traces at a service, if callers from outside are not the only explanation: nothing else is seen of the
 * service, other calls to the same endpoint are whole, or it was a message, which some program must have sent. Only if there are whole
 * calls: without them nothing is judged anyway.
 *
 * @param listed Unjudged calls that are listed already; the services that are their peers are left out.
 */
export function listUncalled(
  scene: Scene,
  roots: Roots,
  drafts: readonly Draft[],
  listed: readonly UnjudgedCalls[],
  sides: PossibleSides,
): readonly UnjudgedCalls[] {
  if (!scene.groups.some(isBetweenServices)) return [];
  const services = roots.services().filter((service) => service !== null);
  return services.toSorted().flatMap((service) => {
    const isSpokenOf =
      drafts.some(
        ({ severity, client, server }) => severity !== 'info' && (client === service || server === service),
      ) || listed.some(({ edge }) => edge.peer === service);
    const into = scene.expectation.edges.filter(({ server }) => server === service);
    const isTolerated = isToleratedEdge(scene.expectation, { client: null, server: service }, false);
    if (isTolerated || isSpokenOf) return [];
    const kinds = (['SERVER', 'CONSUMER'] as const).filter((kind) => scene.services.hasKind(service, kind));
    return kinds.flatMap((kind) => {
      const isMessage = kind === 'CONSUMER';
      // Other checks examine expected requests. A required edge for messages does not explain messages that began traces.
      if (into.some(({ rule }) => !isMessage || rule === 'may')) return [];
      const found = selectUncalled(scene, roots, service, kind).map((span) => ({
        span,
        senders: isMessage ? sides.sendersOf(span) : [],
      }));
      const spans = found.flatMap(({ span, senders }) => (senders === null ? [] : [span]));
      const mayBe = [...new Set(found.flatMap(({ senders }) => senders ?? []))].toSorted();
      const edge = {
        ...{ client: null, peer: service, calls: countCalls(scene, spans) },
        ...(isMessage ? { protocol: 'messaging' as const } : {}),
        ...(mayBe.length > 0 ? { mayBe } : {}),
      };
      return spans.length === 0
        ? []
        : [{ edge, spans, says: 'it began a trace, and nothing here shows who made it' }];
    });
  });
}

function isBetweenServices({ client, server }: CallGroup): boolean {
  return client !== server && client !== ownServiceName;
}

function selectUncalled(
  scene: Scene,
  roots: Roots,
  service: string,
  kind: 'SERVER' | 'CONSUMER',
): readonly Span[] {
  const { graph, facts } = scene;
  const called = scene.groupsInto(service).filter(isBetweenServices);
  const isAny = kind === 'CONSUMER' || takesNoPart(scene, service);
  // At other services, only endpoints that also have whole calls: elsewhere requests come in from outside.
  if (!isAny && called.length === 0) return [];
  const isNoCall = facts.remember((call) => isProbeCall(call) || isEmptyPoll(call));
  const isAlike = isAny ? () => true : isOfEndpoints(scene, called);
  const number = spanKinds.indexOf(kind);
  const isOfProcessed = findReceipts(scene, called);
  return roots.select(
    (row) => graph.store.kinds[row] === number && isAlike(row) && !isNoCall(row) && !isOfProcessed(row),
    service,
  );
}

/** Whether a row only records that a message was received, while messages of its destination are whole in "process" spans. */
function findReceipts({ facts }: Scene, called: readonly CallGroup[]): (row: number) => boolean {
  const operationOf = facts.remember(readOperation);
  const destinationOf = facts.remember(readDestination);
  const processed = remember(
    () =>
      new Set(
        called.flatMap(({ servers }) =>
          Array.from(
            servers.filter((row) => operationOf(row) === 'process'),
            destinationOf,
          ),
        ),
      ),
  );
  return (row) => operationOf(row) === 'receive' && processed().has(destinationOf(row));
}

/** Whether nobody in the capture calls the service and the service makes no call. */
function takesNoPart({ groups, services }: Scene, service: string): boolean {
  return (
    !services.isCalling(service) &&
    !groups.some(
      (group) => isBetweenServices(group) && (group.client === service || group.server === service),
    )
  );
}

/** Whether some calls are to the row's endpoint. */
function isOfEndpoints(scene: Scene, called: readonly CallGroup[]): (row: number) => boolean {
  const { names } = scene.graph.store;
  const nameEndpoint = nameRows(scene);
  const calledNames = new Set(called.flatMap(({ servers }) => Array.from(servers, (row) => names[row])));
  // For most services the names of the spans decide.
  const calledEndpoints = remember(
    () => new Set(called.flatMap(({ servers }) => Array.from(servers, nameEndpoint))),
  );
  return (row) => calledNames.has(names[row]) && calledEndpoints().has(nameEndpoint(row));
}
