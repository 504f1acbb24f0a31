import { type CallGroup, someCall } from '../calls/call-group.ts';
import type { FactSource } from '../calls/fact-source.ts';
import { readUserAgent } from '../calls/http-facts.ts';
import type { Roots } from '../calls/roots.ts';
import { nameTarget } from '../calls/target.ts';
import { compareRequests } from '../pairing/compare-requests.ts';
import type { Pair } from '../pairing/pair-spans.ts';
import type { Span } from '../span/span.ts';
import { keyFor } from '../util/group-by.ts';
import { remember } from '../util/remember.ts';
import { sumOf } from '../util/statistics.ts';
import type { CallIndex } from './index-calls.ts';
import type { Scene } from './scene.ts';
import { isOfLayer, isOfMcp } from './split-causes.ts';

/** The features of an edge whose calls pair up with roots. */
export interface SplitEdge {
  readonly scene: Scene;
  readonly client: string | null;
  readonly server: string | null;
  readonly pairs: readonly Pair[];
  /** The open calls to the targets of the pairs, and the roots of their kinds, paired or not. */
  readonly toTargets: readonly Span[];
  /** How many of these calls a cache answered. */
  readonly cached: number;
  readonly alike: Alike;
  /** The calls to the targets, and the requests of the kinds, that no pair of any edge has. */
  readonly countUnpaired: () => { readonly calls: number; readonly requests: number };
  /** How many roots the server has. */
  readonly ofServer: number;
  /** Whole calls of the edge; messages between the two go another way. */
  readonly whole: readonly CallGroup[];
  readonly isExpected: boolean;
  /** An expectation speaks for these calls unless the edge is whole by another way. */
  readonly isOnItsWay: boolean;
  readonly arePassedOn: boolean;
  /** Every pair has more in common than its time. */
  readonly isTold: boolean;
  /** The pairs that ids prove. */
  readonly named: ReadonlySet<Pair>;
}

/** Requests of some kinds. Views are made of them where their number does not decide. */
interface Alike {
  readonly count: number;
  readonly list: () => readonly Span[];
}

/** The loose ends, which each edge asks for those of its two services. */
export interface Loose {
  /** The two sides of the pairs of all edges. Asked for reports alone. */
  readonly paired: () => Readonly<Record<'clients' | 'servers', ReadonlySet<Span>>>;
  readonly calls: CallIndex;
  readonly roots: Roots;
  readonly continued: ReadonlyMap<string | null, readonly Span[]>;
  /** By service. */
  readonly orphans: ReadonlyMap<string | null, readonly Span[]>;
  readonly targetOf: (call: Span) => string;
  /** Of a row. */
  readonly kindOf: (request: number) => string;
  /** How many roots of a service are of each kind. */
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
  const targets = new Set(pairs.map((pair) => loose.targetOf(pair.client)));
  const whole = scene
    .groupsBetween(client, server)
    .filter(isOfLayer(isOfMcp(first.client)))
    .filter(({ protocol }) => protocol !== 'messaging');
  const isExpected = scene.shared.isExpectedDirectly(client, server);
  const toTargets = listToTargets(scene, loose, first, pairs, targets);
  const alike = measureAlike(scene, loose, pairs, server);
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
      ofServer: loose.roots.count(server) + (loose.continued.get(server)?.length ?? 0),
      whole,
      isExpected,
      isOnItsWay:
        whole.length > 0
          ? someCall(whole, (row) => targets.has(nameTarget(scene.facts.at(row))))
          : scene.groupsInto(server).length === 0 || isExpected,
      arePassedOn: pairs.every((pair) => pair.client.kind === 'SERVER'),
      // Elsewhere nothing else pairs up.
      isTold: !isExpected || pairs.every((pair) => compareRequests(pair.client, pair.server) === 'yes'),
      named,
    },
  ];
}

/** The open calls to the targets of the pairs that may have another side. */
function listToTargets(
  { graph, facts }: Scene,
  loose: Loose,
  { client, server }: Pair,
  pairs: readonly Pair[],
  targets: ReadonlySet<string>,
): readonly Span[] {
  const isMcp = isOfMcp(client);
  const paired = remember(() => new Set(pairs.map((pair) => pair.client)));
  // Spans of the called service without their parent prove that context arrived in their trace: its calls are others.
  const reached = new Set(loose.orphans.get(server.serviceName)?.map(({ traceId }) => traceId));
  // A call that reached nobody, as while the called service starts, has no other side.
  const mayHaveOther = (row: number, span: Span): boolean =>
    facts.outcomeOf(row) !== 'unreached' &&
    !graph.isAtBorder(row) &&
    (reached.size === 0 || !reached.has(span.traceId));
  return loose.calls
    .callsTo(client.serviceName, targets)
    .filter(
      (span) => isOfMcp(span) === isMcp && (mayHaveOther(graph.rowOf(span), span) || paired().has(span)),
    );
}

/** The requests of the kinds of the pairs. Of those at the border of the capture only the paired ones. */
function measureAlike({ graph }: Scene, loose: Loose, pairs: readonly Pair[], server: string | null): Alike {
  const kinds = new Set(pairs.map((pair) => loose.kindOf(graph.rowOf(pair.server))));
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

/** Requests of one kind to one service: if most of them began while nobody of the data called, others call this service. */
export function nameKind(request: FactSource): string {
  return keyFor(request.name, readUserAgent(request));
}
