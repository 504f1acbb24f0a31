import { nameAddress, readAddress } from '../calls/address.ts';
import { readCallFacts } from '../calls/call-facts.ts';
import { someCall } from '../calls/call-group.ts';
import { isInside } from '../calls/inside.ts';
import { readOutcome } from '../calls/outcome.ts';
import { isHealthProbe } from '../calls/probes.ts';
import { isSameEdge } from '../calls/same-edge.ts';
import { nameTarget } from '../calls/target.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import { startsDuringAny } from '../pairing/times.ts';
import type { Draft } from '../rules/draft.ts';
import { hasCall } from '../rules/expected-calls.ts';
import { withoutOutsiders } from '../rules/missing-call.ts';
import { listUncoveredCalls } from '../rules/missing-server.ts';
import type { LooseEnds, Scene } from '../rules/scene.ts';
import { describeUnprovable } from '../rules/unprovable.ts';
import type { Span } from '../span/span.ts';
import { weightOf } from '../span/span-store.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import { sumOf } from '../util/statistics.ts';
import type { PossibleSides } from './possible-sides.ts';
import type { UnjudgedEdge } from './result.ts';

/** Calls of an edge that nothing in the capture can judge: one entry of `unjudged` in the result. */
export interface UnjudgedCalls {
  readonly edge: UnjudgedEdge;
  /** The sides that are in the capture. */
  readonly spans: readonly Span[];
  /** The reason, for `--explain`. */
  readonly says: string;
  /**
   * The messages of a destination from which several services receive were mostly received; nothing shows which service did not receive
   * these.
   */
  readonly isMostlyReceived?: true;
  /** A limit of the SDK may have dropped the links of these messages; another note reports that. */
  readonly mayBeUnlinked?: true;
}

/**
 * Calls that no rule can judge, because only the caller's side is in the capture: calls that reached a peer at an internal address, none of
 * which has a SERVER span. A public address is a third party's. Also calls for which another reason is known (`findUnprovable`).
 */
export function listUnjudged(
  scene: Scene,
  drafts: readonly Draft[],
  sides: PossibleSides,
): readonly UnjudgedCalls[] {
  return drafts
    .filter(({ id }) => id === 'uninstrumented-peer')
    .flatMap(({ client, shown }) => {
      const clients = shown.flatMap((call) => call.client ?? []);
      const unprovable = gatherUnprovable(scene, clients);
      if (unprovable.length > 0) return unprovable;
      const reached = clients.filter((span) => readOutcome(span) !== 'unreached');
      const [first] = reached;
      if (first === undefined) return [];
      const address = readAddress(first);
      const peer = nameAddress(address);
      if (address.host === null || peer === null || !isInside(address.host)) return [];
      if (isPartlyWhole(scene, first)) return [];
      const mayBe = sides.calledBy([first, ...reached]);
      const edge = {
        client,
        peer,
        calls: countCalls(scene, reached),
        ...(mayBe.length > 0 ? { mayBe } : {}),
      };
      return [{ edge, spans: reached, says: `no SERVER span of ${peer} is here` }];
    });
}

/** Whether other calls of the service to the same address are whole. */
function isPartlyWhole({ groupsFrom, facts }: Scene, call: Span): boolean {
  const targetOf = facts.remember(nameTarget);
  const target = nameTarget(call);
  return someCall(groupsFrom(call.serviceName), (row) => targetOf(row) === target);
}

/** CLIENT spans of calls to peers without spans. */
export function listCallsToPeers(drafts: readonly Draft[]): readonly Span[] {
  return drafts
    .filter(({ id }) => id === 'uninstrumented-peer')
    .flatMap(({ shown }) => shown.flatMap((call) => call.client ?? []));
}

/** Calls to a peer that has SERVER spans in the capture, where nothing shows whether they are whole; by callee and reason. */
function gatherUnprovable(scene: Scene, clients: readonly Span[]): readonly UnjudgedCalls[] {
  const found = clients.flatMap((client) => {
    const call = scene.shared.findUnprovable(client);
    return call === null ? [] : [{ ...call, client }];
  });
  return groupBy(found, ({ service, why }) => keyFor(service, why)).map((calls) => {
    const [{ client, service, why }] = calls;
    const peer = nameAddress(readAddress(client)) ?? service ?? '(unknown)';
    const spans = calls.map((call) => call.client);
    return {
      edge: { client: client.serviceName, peer, calls: countCalls(scene, spans), why },
      spans,
      says: describeUnprovable({ service, why }),
    };
  });
}

/** The number of calls that the spans stand for; each span is one side of a call. */
export function countCalls({ graph }: Scene, spans: readonly Span[]): number {
  return sumOf(spans.map((span) => weightOf(graph.store, graph.rowOf(span))));
}

/** Calls of one edge whose SERVER spans are missing. */
export interface SilentCalls {
  readonly client: string | null;
  readonly server: string;
  readonly calls: number;
  /** The address as the caller writes it. */
  readonly peer: string;
  readonly spans: readonly Span[];
}

/** Calls that look like calls to a peer without spans, although the callee had spans of such calls at other times. */
export function listUncovered(
  scene: Scene,
  looseEnds: LooseEnds,
  drafts: readonly Draft[],
): readonly SilentCalls[] {
  const clients = listCallsToPeers(drafts);
  if (clients.length === 0) return [];
  return listUncoveredCalls(scene, { ...looseEnds, clients }).flatMap(({ server, lonely }) => {
    const [first, ...others] = lonely;
    return first === undefined || server === null ? [] : [describeSilent(scene, server, [first, ...others])];
  });
}

function describeSilent(scene: Scene, server: string, spans: Group<Span>): SilentCalls {
  const [first] = spans;
  const peer = nameAddress(readAddress(first)) ?? server;
  return { client: first.serviceName, server, peer, calls: countCalls(scene, spans), spans };
}

/**
 * Calls that look like calls to a peer without spans, to an address for which a finding reports the other calls: they belong to the same
 * edge. Not if some calls to the address are whole, because a cache may have answered these.
 */
export function listBesideReported(scene: Scene, drafts: readonly Draft[]): readonly SilentCalls[] {
  const clients = listCallsToPeers(drafts).filter(
    (span) => readOutcome(span) === 'answered' && scene.shared.findUnprovable(span) === null,
  );
  if (clients.length === 0) return [];
  const serversAt = new Map<string, Set<string | null>>();
  for (const { severity, server, shown } of drafts) {
    if (severity === 'info') continue;
    for (const { client } of shown) {
      if (client === null) continue;
      const place = namePlace(client);
      serversAt.set(place, (serversAt.get(place) ?? new Set()).add(server));
    }
  }
  return groupBy(clients, namePlace).flatMap((spans) => {
    const [first] = spans;
    const [server = null, ...others] = serversAt.get(namePlace(first)) ?? [];
    if (server === null || others.length > 0 || isPartlyWhole(scene, first)) return [];
    return [describeSilent(scene, server, spans)];
  });
}

function namePlace(call: Span): string {
  return keyFor(call.serviceName, nameTarget(call));
}

/**
 * Requests at the callee of an expected edge that began traces while its caller had requests open, except requests of programs that also
 * call the caller. If the caller's requests overlap, an uninstrumented client library and callers from outside look the same.
 */
export function listUnjudgedRoots(
  scene: Scene,
  roots: LooseEnds['roots'],
  drafts: readonly Draft[],
): readonly UnjudgedCalls[] {
  const { expectation, graph, thresholds } = scene;
  const expected = expectation.edges.filter(
    ({ rule, client, server }) => rule === 'must' && client !== server && hasCall(scene, client, server),
  );
  return expected.flatMap((edge) => {
    const own = withoutOutsiders(scene, edge, roots.of(edge.server).filter(isNamedRequest));
    if (own.length < thresholds.fewestDisplaced || isReported(drafts, edge)) return [];
    const requests = scene.spansOf(edge.client).filter((span) => span.kind === 'SERVER');
    const isDuring = startsDuringAny(graph, requests, thresholds);
    const during = own.filter((root) => isDuring(graph.rowOf(root)));
    if (during.length < own.length * thresholds.missingCallShare) return [];
    return [describePossible(scene, edge, during)];
  });
}

/** Describes roots that may be calls of a service that had requests open when they began. */
export function describePossible(
  scene: Scene,
  { client, server }: Pick<ExpectedEdge, 'client' | 'server'>,
  roots: readonly Span[],
): UnjudgedCalls {
  return {
    edge: { client, peer: server, calls: countCalls(scene, roots) },
    spans: roots,
    says: `it may be a call of ${client}, which had a request open, or of a program outside`,
  };
}

function isNamedRequest(root: Span): boolean {
  return root.kind === 'SERVER' && !isHealthProbe(root) && readCallFacts(root).userAgent !== null;
}

export function isReported(drafts: readonly Draft[], edge: Pick<ExpectedEdge, 'client' | 'server'>): boolean {
  return drafts.some((draft) => isSameEdge(draft, edge));
}
