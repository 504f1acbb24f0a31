import { readAddress } from '../calls/address.ts';
import { type CallGroup, someCall } from '../calls/call-group.ts';
import type { FactSource } from '../calls/fact-source.ts';
import { readRoute, readUserAgent } from '../calls/http-facts.ts';
import { isLoopback } from '../calls/inside.ts';
import { isProbeCall } from '../calls/probes.ts';
import type { Roots } from '../calls/roots.ts';
import { nameTarget } from '../calls/target.ts';
import { compareRequests } from '../pairing/compare-requests.ts';
import { groupPairs, type Pair } from '../pairing/pair-spans.ts';
import type { Span } from '../span/span.ts';
import { keyFor } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { sumOf } from '../util/statistics.ts';
import type { CallIndex } from './index-calls.ts';
import type { Scene } from './scene.ts';
import { isOfLayer, isOfMcp } from './split-causes.ts';

/** Features of an edge whose calls pair up with roots; or of several such edges together. */
export interface SplitEdge {
  readonly scene: Scene;
  readonly client: string | null;
  readonly server: string | null;
  readonly pairs: readonly Pair[];
  /** All calls without a child to the targets of the pairs, paired or not. */
  readonly toTargets: readonly Span[];
  /** The number of these calls that a cache answered. */
  readonly cached: number;
  readonly alike: Alike;
  /** The calls to the targets and the requests of the kinds that are in no pair of any edge. */
  readonly countUnpaired: () => { readonly calls: number; readonly requests: number };
  /** The number of roots of the server. */
  readonly ofServer: number;
  /** Whole calls of the edge, without messages. */
  readonly whole: readonly CallGroup[];
  readonly isExpected: boolean;
  /**
   * Whether these calls go the usual way: whole calls go to the same targets; or, without whole calls of the edge, the edge is expected,
   * whole calls of others to the server go there, or none reaches it.
   */
  readonly isOnItsWay: boolean;
  readonly arePassedOn: boolean;
  /** Every pair agrees in more than time. */
  readonly areSameRequests: boolean;
  /** The pairs that ids in headers prove. */
  readonly named: ReadonlySet<Pair>;
}

/** Requests of the kinds of the pairs. Views are made only if the count does not decide. */
interface Alike {
  readonly count: number;
  readonly list: () => readonly Span[];
}

/** The loose ends that each edge is measured with. */
export interface Loose {
  /** Both sides of the pairs of all edges. Used only in reports. */
  readonly paired: () => Readonly<Record<'clients' | 'servers', ReadonlySet<Span>>>;
  readonly calls: CallIndex;
  readonly roots: Roots;
  readonly continued: ReadonlyMap<string | null, readonly Span[]>;
  /** By service. */
  readonly orphans: ReadonlyMap<string | null, readonly Span[]>;
  readonly targetOf: (call: Span) => string;
  /** The kind of the request in a row. */
  readonly kindOf: (request: number) => string;
  /** The number of roots of a service by kind. */
  readonly kindsOf: (server: string | null) => ReadonlyMap<string, number>;
}

export function measureEdge(
  scene: Scene,
  loose: Loose,
  pairs: readonly Pair[],
  named: ReadonlySet<Pair>,
): readonly SplitEdge[] {
  const first = pairs[0];
  if (first === undefined) return [];
  const client = first.client.serviceName;
  const server = first.server.serviceName;
  const edges = groupPairs(pairs).map(
    ([pair]) => [pair.client.serviceName, pair.server.serviceName] as const,
  );
  const callers = [...new Set(edges.map(([caller]) => caller))];
  const servers = [...new Set(edges.map(([, called]) => called))];
  const targets = new Set(pairs.map((pair) => loose.targetOf(pair.client)));
  const whole = edges
    .flatMap(([caller, called]) => scene.groupsBetween(caller, called))
    .filter(isOfLayer(isOfMcp(first.client)))
    .filter(({ protocol }) => protocol !== 'messaging');
  const expected = edges.filter(([caller, called]) => scene.shared.isExpectedDirectly(caller, called));
  const isExpected = expected.length === edges.length;
  const toTargets = listToTargets(scene, loose, callers, servers, pairs, targets);
  const isToTargets = (call: number): boolean => targets.has(nameTarget(scene.facts.at(call)));
  // Each machine is its own loopback host.
  const isToSameHost = (call: number): boolean => {
    const { host } = readAddress(scene.facts.at(call));
    return host !== null && !isLoopback(host) && isToTargets(call);
  };
  const alike = joinAlike(servers.map((called) => measureAlike(scene, loose, pairs, called)));
  return [
    {
      scene,
      client,
      server,
      pairs,
      toTargets,
      cached: toTargets.filter((span) => scene.shared.findUnprovable(span)?.why === 'cached-answer').length,
      alike,
      countUnpaired: () => {
        const { clients, servers } = loose.paired();
        return {
          calls: toTargets.filter((call) => !clients.has(call)).length,
          requests: alike
            .list()
            .filter((request) => !servers.has(request) && !scene.graph.isAtBorder(scene.graph.rowOf(request)))
            .length,
        };
      },
      ofServer: sumOf(
        servers.map((called) => loose.roots.count(called) + (loose.continued.get(called)?.length ?? 0)),
      ),
      whole,
      isExpected,
      isOnItsWay:
        whole.length > 0
          ? someCall(whole, isToTargets)
          : isExpected ||
            servers
              .map((called) => scene.groupsInto(called))
              .every((into) => into.length === 0 || someCall(into, isToSameHost)),
      arePassedOn: pairs.every((pair) => pair.client.kind === 'SERVER'),
      // If the edge is not expected, only such pairs are made.
      areSameRequests:
        expected.length === 0 || pairs.every((pair) => compareRequests(pair.client, pair.server) === 'yes'),
      named,
    },
  ];
}

/** The calls without a child to the targets of the pairs that may have another side. */
function listToTargets(
  { graph, facts }: Scene,
  loose: Loose,
  callers: readonly (string | null)[],
  servers: readonly (string | null)[],
  pairs: readonly Pair[],
  targets: ReadonlySet<string>,
): readonly Span[] {
  const isMcp = pairs.some(({ client }) => isOfMcp(client));
  const { traces } = graph.index;
  const paired = remember(() => new Set(pairs.map((pair) => pair.client)));
  // Spans of the called service without their parent prove that context arrived in their trace, so calls in that trace are not split.
  const reached = new Set(
    servers.flatMap((server) => loose.orphans.get(server) ?? []).map((orphan) => traces[graph.rowOf(orphan)]),
  );
  // A call that reached no server, for example while the called service starts, has no other side.
  const mayHaveOther = (row: number): boolean =>
    facts.outcomeOf(row) !== 'unreached' && !graph.isAtBorder(row) && !reached.has(traces[row]);
  return callers
    .flatMap((caller) => loose.calls.callsTo(caller, targets))
    .filter((span) => isOfMcp(span) === isMcp && (mayHaveOther(graph.rowOf(span)) || paired().has(span)));
}

function joinAlike(alike: readonly Alike[]): Alike {
  return {
    count: sumOf(alike.map(({ count }) => count)),
    list: () => alike.flatMap(({ list }) => list()),
  };
}

/** The requests of the kinds of the pairs. Unpaired requests at the border of the capture are left out. */
function measureAlike({ graph }: Scene, loose: Loose, all: readonly Pair[], server: string | null): Alike {
  const pairs = all.filter((pair) => pair.server.serviceName === server);
  const ofPairs = new Map(pairs.map((pair) => [loose.kindOf(graph.rowOf(pair.server)), pair.server]));
  // The timer of a caller may keep step with probes of the server, so pairs with probes are measured with all requests of the name.
  const kinds = new Set([...ofPairs.keys(), ...Array.from(ofPairs.values(), nameKindByName)]);
  const isAlike = (row: number): boolean => kinds.has(loose.kindOf(row));
  const continued = (loose.continued.get(server) ?? []).filter((span) => isAlike(graph.rowOf(span)));
  const paired = remember(() => new Set(pairs.map((pair) => pair.server)));
  const unpairedAtBorder = loose.roots
    .select((row) => graph.isAtBorder(row) && isAlike(row), server)
    .filter((root) => !paired().has(root)).length;
  const ofKind = loose.kindsOf(server);
  const roots = sumOf([...kinds].map((kind) => ofKind.get(kind) ?? 0));
  return {
    count: roots - unpairedAtBorder + continued.length,
    list: () => [...loose.roots.select(isAlike, server), ...continued],
  };
}

export function areNamed({ pairs, named }: SplitEdge): boolean {
  return pairs.every((pair) => named.has(pair));
}

/**
 * A key for requests of one kind to one service. If most requests of a kind began while no caller in the data made a call, others call this
 * service. Health probes answer no call: where no route names them, they are a kind of their own.
 */
export function nameKind(request: FactSource): string {
  const kind = nameKindByName(request);
  return readRoute(request) === null && isProbeCall(request) ? keyFor(kind, 'probe') : kind;
}

function nameKindByName(request: FactSource): string {
  return keyFor(request.name, readUserAgent(request));
}
