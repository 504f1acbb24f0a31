import {
  isHealthProbe,
  nameAddress,
  readAddress,
  readCallFacts,
  readDestination,
  readOutcome,
} from '../calls/call-facts.ts';
import { someCall, weighCalls } from '../calls/call-group.ts';
import { isInside } from '../calls/inside.ts';
import { nameTarget } from '../calls/target.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import { startsDuringAny } from '../pairing/pair.ts';
import { type Draft, hasCall, type LooseEnds, listExplained, type Scene } from '../rules/check.ts';
import { withoutOutsiders } from '../rules/missing-call.ts';
import { listUncoveredCalls } from '../rules/missing-server.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../span/span-store.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import type { UnjudgedEdge } from './result.ts';

/**
 * Calls that no rule can judge, because nothing but the caller's side is here: to peers that were reached, of which no call has a
 * SERVER span, at an address inside of the network. An address outside is a third party. Or something else tells that nothing can judge them.
 */
export function listUnjudged(scene: Scene, drafts: readonly Draft[]): readonly UnjudgedEdge[] {
  const { groups, facts } = scene;
  const targetOf = facts.remember(nameTarget);
  return drafts
    .filter(({ id }) => id === 'uninstrumented-peer')
    .flatMap(({ client, shown }) => {
      const clients = shown.flatMap((call) => call.client ?? []);
      const unprovable = countUnprovable(scene, clients);
      if (unprovable.length > 0) return unprovable;
      const reached = clients.filter((span) => readOutcome(span) !== 'unreached');
      const [first] = clients;
      if (first === undefined || reached.length === 0) return [];
      const address = readAddress(first);
      const peer = nameAddress(address);
      if (address.host === null || peer === null || !isInside(address.host)) return [];
      const target = nameTarget(first);
      const ofClient = groups.filter((group) => group.client === client);
      if (someCall(ofClient, (row) => targetOf(row) === target)) return [];
      return [{ client, peer, calls: countCalls(scene, reached) }];
    });
}

/** Calls to one peer of which nothing tells whether they are whole, although SERVER spans of it are here. */
function countUnprovable(scene: Scene, clients: readonly Span[]): readonly UnjudgedEdge[] {
  const found = clients.flatMap((client) => {
    const call = scene.shared.findUnprovable(client);
    return call === null ? [] : [{ ...call, client }];
  });
  return groupBy(found, ({ service, why }) => keyFor(service, why)).map((calls) => {
    const [{ client, service, why }] = calls;
    const peer = nameAddress(readAddress(client)) ?? service ?? '(unknown)';
    const spans = calls.map((call) => call.client);
    return { client: client.serviceName, peer, calls: countCalls(scene, spans), why };
  });
}

/** Messages to destinations of which no message was received here, and of which no finding speaks. */
export function listUnreceived(
  scene: Scene,
  clients: readonly Span[],
  drafts: readonly Draft[],
): readonly UnjudgedEdge[] {
  const messages = clients.filter((span) => span.kind === 'PRODUCER' && readDestination(span) !== null);
  if (messages.length === 0) return [];
  const explained = new Set(drafts.flatMap(listExplained));
  const targetOf = scene.facts.remember(nameTarget);
  const received = new Set(
    scene.groups
      .filter(({ clientKind }) => clientKind === 'PRODUCER')
      .flatMap(({ clients }) => Array.from(clients, targetOf)),
  );
  return groupBy(messages, (span) => keyFor(span.serviceName, nameTarget(span))).flatMap((group) => {
    const [first] = group;
    if (received.has(nameTarget(first)) || group.some((span) => explained.has(span))) return [];
    const peer = readDestination(first) ?? '';
    return [{ client: first.serviceName, peer, calls: countCalls(scene, group), protocol: 'messaging' }];
  });
}

/** How many calls some spans stand for, one side of each. */
export function countCalls({ graph }: Scene, spans: readonly Span[]): number {
  return spans.reduce((sum, span) => sum + countOf(graph.store, graph.rowOf(span)), 0);
}

/** Calls without their SERVER span, like others of the same edge that are whole. */
export interface UncoveredCalls {
  readonly client: string | null;
  readonly server: string;
  readonly whole: number;
  readonly calls: number;
  /** As the caller addresses it. */
  readonly peer: string;
}

/** Calls that look like those to peers that emit no spans, while the called service did emit spans of such calls at other times. */
export function listUncovered(
  scene: Scene,
  looseEnds: LooseEnds,
  drafts: readonly Draft[],
): readonly UncoveredCalls[] {
  const clients = drafts
    .filter(({ id }) => id === 'uninstrumented-peer')
    .flatMap(({ shown }) => shown.flatMap((call) => call.client ?? []));
  if (clients.length === 0) return [];
  const { graph } = scene;
  return listUncoveredCalls(scene, { ...looseEnds, clients }).flatMap(({ client, server, whole, lonely }) => {
    const [first] = lonely;
    if (first === undefined || server === null) return [];
    const peer = nameAddress(readAddress(first)) ?? server;
    const calls = countCalls(scene, lonely);
    const ofWhole = weighCalls(graph, whole);
    return [{ client, server, whole: ofWhole, calls, peer }];
  });
}

/**
 * Requests to the called service of an expected edge that began traces while its caller had requests open, except those of programs
 * that also send requests to the caller. When the caller's requests overlap, a client library that is not instrumented and callers from outside make the same picture.
 */
export function listUnjudgedRoots(
  scene: Scene,
  roots: LooseEnds['roots'],
  drafts: readonly Draft[],
): readonly UnjudgedEdge[] {
  const { expectation, graph, thresholds } = scene;
  const expected = expectation.edges.filter(
    ({ rule, client, server }) => rule === 'must' && client !== server && hasCall(scene, client, server),
  );
  return expected.flatMap((edge) => {
    const own = withoutOutsiders(scene, edge, roots.of(edge.server).filter(isNamedRequest));
    if (own.length < thresholds.fewestPossibleCalls || isReported(drafts, edge)) return [];
    const requests = scene.spansOf(edge.client).filter((span) => span.kind === 'SERVER');
    const isDuring = startsDuringAny(graph, requests, thresholds);
    const during = own.map((root) => graph.rowOf(root)).filter(isDuring);
    if (during.length < own.length * thresholds.missingCallShare) return [];
    const calls = during.reduce((sum, row) => sum + countOf(graph.store, row), 0);
    return [{ client: edge.client, peer: edge.server, calls }];
  });
}

function isNamedRequest(root: Span): boolean {
  return root.kind === 'SERVER' && !isHealthProbe(root) && readCallFacts(root).userAgent !== null;
}

function isReported(drafts: readonly Draft[], { client, server }: ExpectedEdge): boolean {
  return drafts.some((draft) => draft.client === client && draft.server === server);
}
