import { groupCalls } from '../calls/call-group.ts';
import { isDetached } from '../calls/edge.ts';
import { isHealthProbe } from '../calls/probes.ts';
import { areAwaited } from '../pairing/awaited.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { pairContained } from '../pairing/contained.ts';
import { areMostlyUnique } from '../pairing/displaced.ts';
import type { Pair } from '../pairing/pair-spans.ts';
import { type Draft, protocolOf } from '../rules/draft.ts';
import { hasCall } from '../rules/expected-calls.ts';
import { listOwnCallers } from '../rules/list-callers.ts';
import type { Open, Scene } from '../rules/scene.ts';
import type { Thresholds } from '../rules/thresholds.ts';
import { isToleratedEdge } from '../rules/tolerated-peer.ts';
import { byStart, type Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { hideSecrets } from '../util/hide-secrets.ts';
import { chooseRoots, type Sides } from './choose-roots.ts';
import { prepareSeparation } from './describe-separation.ts';
import { listCallsBeside } from './list-calls-beside.ts';
import { describePossible, isReported, type UnjudgedCalls } from './list-unjudged.ts';
import { nameRows } from './name-rows.ts';
import { type Paired, pairFirst } from './pair-first.ts';
import type { Undecided } from './result.ts';

interface Edge extends Sides {
  /** The expectations require or forbid the edge. */
  readonly isAsked: boolean;
}

/** The pairs of an edge; `ofRoots` are the pairs with a root of the callee. */
interface Possible {
  readonly edge: Edge;
  readonly pairs: readonly Pair[];
  readonly ofRoots: readonly Pair[];
  readonly isAwaited: boolean;
}

/**
 * `awaited`: pairs of requests that waited for what they enclose. `loose`: pairs on routes that call the callee, whose requests did not
 * wait.
 */
interface RequestPairs {
  readonly awaited: readonly Pair[];
  readonly loose: readonly Pair[];
}

/** Possible calls; requests of other callers would look the same. */
export interface PossibleCalls {
  /** On edges with so many that a verdict would be a guess. */
  readonly undecided: readonly Undecided[];
  /**
   * On edges with fewer, at endpoints that the caller is not known to call, beside calls that it shows, and within requests that did not
   * wait.
   */
  readonly unjudged: readonly UnjudgedCalls[];
}

/**
 * Edges with whole calls, and forbidden edges, on which requests of the caller show no call while nearly each encloses a trace that began
 * at the callee. The rules need more evidence, such as user agents, because an uninstrumented client library and other callers look the
 * same.
 */
export function listPossibleCalls(
  scene: Scene,
  roots: Open['roots'],
  drafts: readonly Draft[],
): PossibleCalls {
  const { fewestUnique, fewestDisplaced, missingCallShare } = scene.thresholds;
  const find = (edge: Edge): readonly Possible[] => {
    const possible = roots
      .select(chooseRoots(scene, edge, edge.isAsked ? 'any' : 'called'), edge.server)
      .filter((root) => !isHealthProbe(root));
    if (possible.length === 0) return [];
    const { awaited, loose } = pairWithUnpaired(scene, edge, possible);
    const known = new Set(possible);
    const select = (pairs: readonly Pair[], isAwaited: boolean): readonly Possible[] => {
      const ofRoots = pairs.filter(({ server }) => known.has(server));
      const isMost = ofRoots.length > 0 && ofRoots.length >= possible.length * missingCallShare;
      return isMost ? [{ edge, pairs, ofRoots, isAwaited }] : [];
    };
    const found = select(awaited, true);
    return found.length > 0 || !edge.isAsked ? found : select(loose, false);
  };
  // Most edges stop here, before all their spans are examined.
  const edges = listEdges(scene).filter(
    (edge) =>
      roots.count(edge.server) > 0 &&
      !isReported(drafts, edge) &&
      !hasOtherCallers(scene, edge) &&
      !isToleratedEdge(scene.expectation, edge, true),
  );
  const found = edges.flatMap(find);
  const unknown = edges
    .filter((edge) => !edge.isAsked && found.every((possible) => possible.edge !== edge))
    // As if expected: also at endpoints that the caller is not known to call.
    .flatMap((edge) => find({ ...edge, isAsked: true }));
  const isEnough = ({ edge, ofRoots, isAwaited }: Possible): boolean =>
    isAwaited && ofRoots.length >= (edge.isAsked ? fewestUnique : fewestDisplaced);
  const few = [...found.filter((possible) => !isEnough(possible)), ...unknown].map(({ edge, ofRoots }) => ({
    edge,
    spans: ofRoots.map(({ server }) => server),
  }));
  const beside = edges
    .filter((edge) =>
      [...found, ...unknown].every(
        (possible) => possible.edge.server !== edge.server || possible.edge.client !== edge.client,
      ),
    )
    .map((edge) => ({ edge, spans: listCallsBeside(scene, roots, edge) }))
    .filter(({ spans }) => spans.length > 0);
  return {
    undecided: found.filter(isEnough).map((possible) => describe(scene, possible)),
    unjudged: [...few, ...beside].map(({ edge, spans }) => describePossible(scene, edge, spans)),
  };
}

/**
 * Edges between two services that have whole calls, and forbidden edges. On other edges, also in the other direction, requests that are
 * streamed or cut off enclose traces by accident.
 */
function listEdges(scene: Scene): readonly Edge[] {
  const { groups, services, expectation } = scene;
  const asked = expectation.edges.filter(({ rule }) => rule !== 'may');
  const forbidden = asked.filter(
    ({ rule, client, server }) => rule === 'must-not' && !hasCall(scene, server, client),
  );
  const seen = groupCalls(groups).map(([first]) => first);
  return [...seen, ...forbidden].flatMap(({ client, server }) => {
    if (client === null || server === null || client === server || !services.hasEntries(client)) return [];
    return [
      { client, server, isAsked: asked.some((edge) => edge.client === client && edge.server === server) },
    ];
  });
}

/** Whether the expectations name a caller of the callee that has no spans: its calls begin traces. */
export function hasOtherCallers(scene: Scene, edge: Sides): boolean {
  return scene.expectation.edges.some(
    ({ client, server, rule }) =>
      rule !== 'must-not' && server === edge.server && !scene.services.has(client),
  );
}

/** Pairs requests that have no call to the callee with a root of the callee, or a call of the caller that began a trace, within them. */
function pairWithUnpaired(scene: Scene, edge: Edge, roots: readonly Span[]): RequestPairs {
  const { graph, thresholds } = scene;
  const calls = scene.groupsBetween(edge.client, edge.server).flatMap(({ clients }) => [...clients]);
  const detached = graph.viewsOf(calls.filter((row) => isDetached(graph, row)));
  const callers = listOwnCallers(scene, edge.client, calls);
  const nameEndpoint = nameRows(scene);
  const calling = new Set(Array.from(callers, nameEndpoint));
  const unpaired = [...roots, ...detached].toSorted(byStart);
  const isDetachedCall = new Set(detached);
  const found = scene.shared.routesOf(edge.client).all.map((route): RequestPairs => {
    const ofRoute = route.filter((request) => !callers.has(graph.rowOf(request)));
    // A cache leaves requests without calls too.
    const fewest = ofRoute.length * thresholds.displacedShare;
    if (unpaired.length < fewest || !areSure(pairFirst(ofRoute, unpaired, thresholds), thresholds))
      return none;
    const all = { requests: ofRoute, unpaired, pairs: pairContained(ofRoute, unpaired, thresholds) };
    const isCalling = ofRoute.some((request) => calling.has(nameEndpoint(graph.rowOf(request))));
    const isKnownToCall =
      edge.isAsked || isCalling || all.pairs.some(({ server }) => isDetachedCall.has(server));
    if (!isKnownToCall || all.pairs.length < fewest) return none;
    // Timers and other callers fall anywhere into requests that last much longer: exports, long polls and streams.
    if (areAwaited(all.pairs, thresholds))
      return areSure(all, thresholds) ? { ...none, awaited: all.pairs } : none;
    return isCalling && areMostlyUnique(all.pairs, thresholds) ? { ...none, loose: all.pairs } : none;
  });
  // A root may lie within requests of two routes.
  const once = (pairs: readonly Pair[]): readonly Pair[] => [
    ...new Map(pairs.map((pair) => [pair.server, pair])).values(),
  ];
  return {
    awaited: once(found.flatMap(({ awaited }) => awaited)),
    loose: once(found.flatMap(({ loose }) => loose)),
  };
}

const none: RequestPairs = { awaited: [], loose: [] };

/** Whether most pairs are unique, or more pairs are found than by chance. */
function areSure({ requests, unpaired, pairs }: Paired, thresholds: Thresholds): boolean {
  if (pairs.length === 0) return false;
  if (areMostlyUnique(pairs, thresholds)) return true;
  const count = (moved: readonly Span[]): number => pairContained(requests, moved, thresholds).length;
  return isMoreThanChance(unpaired, pairs.length, count, thresholds);
}

function describe(scene: Scene, { edge: { client, server }, pairs, ofRoots }: Possible): Undecided {
  const [first] = ofRoots;
  const detached = pairs.length - ofRoots.length;
  const also =
    detached === 0 ? '' : ` beside ${countOf(detached, 'call')} of ${client} that began traces of their own`;
  const symptom = `${pairs.length} requests of ${client} show no call to it, and ${ofRoots.length} traces began at ${server} while they were open${also}`;
  const why = `a client library of ${client} is not instrumented, or another program calls ${server}`;
  const step = `see which it is in trace ${first?.server.traceId} (user agent, peer address), and name another caller under edges.may in --expectations`;
  const facts = prepareSeparation(scene, () => [])(
    {
      ...{ client, server, protocol: protocolOf(first?.server), severity: 'warning' },
      shown: ofRoots.map(({ client: during, server: root }) => ({
        ...{ client: null, server: root, during, says: '' },
      })),
    },
    ofRoots.length,
  );
  return { client, server, says: [`${symptom}: ${why}`, ...facts.map(hideSecrets), step].join('; ') };
}
