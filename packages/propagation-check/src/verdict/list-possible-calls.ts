import { isHealthProbe } from '../calls/call-facts.ts';
import { groupCalls } from '../calls/call-group.ts';
import { isDetached } from '../calls/edge.ts';
import { nameEndpoints } from '../calls/endpoint.ts';
import type { ExpectedEdge } from '../expect/expectation.ts';
import { isMoreThanChance } from '../pairing/chance.ts';
import { pairContained } from '../pairing/contained.ts';
import type { Pair } from '../pairing/pair.ts';
import { type Draft, hasCall, hasSpans, type Open, type Scene } from '../rules/check.ts';
import { listCallers } from '../rules/list-callers.ts';
import { withoutOutsiders } from '../rules/missing-call.ts';
import type { Thresholds } from '../rules/thresholds.ts';
import type { Span } from '../span/span.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import type { UndecidedExpectation } from './result.ts';

type Edge = Pick<ExpectedEdge, 'client' | 'server'>;

/**
 * Edges with whole calls, or forbidden ones, where requests of the caller show none, and nearly each of them encloses a trace that began at the
 * callee. The rules ask for more, such as user agents or one fault alone: a client library that is not instrumented and other callers make the same picture.
 */
export function listPossibleCalls(
  scene: Scene,
  roots: Open['roots'],
  drafts: readonly Draft[],
): readonly UndecidedExpectation[] {
  return listEdges(scene, roots).flatMap((edge) => {
    if (isReported(drafts, edge) || hasOtherCallers(scene, edge)) return [];
    const begun = roots.of(edge.server).filter((root) => !isHealthProbe(root));
    const own = new Set(withoutOutsiders(scene, edge, begun));
    if (own.size < scene.thresholds.fewestUnique) return [];
    const pairs = pairWithBereft(scene, edge, own);
    const ofRoots = pairs.filter(({ server }) => own.has(server));
    if (ofRoots.length < own.size * scene.thresholds.missingCallShare) return [];
    return ofRoots.length < scene.thresholds.fewestUnique ? [] : [describe(edge, pairs, ofRoots)];
  });
}

/**
 * Edges between two services that have whole calls, and those that the expectations forbid: of others, also of the way back, requests that are
 * cut off or streamed enclose others too.
 */
function listEdges(scene: Scene, roots: Open['roots']): readonly Edge[] {
  const { groups, services, expectation } = scene;
  const seen = groupCalls(groups, ({ client, server }) => keyFor(client, server)).map(([first]) => first);
  const forbidden = expectation.edges.filter(
    ({ rule, client, server }) => rule === 'must-not' && !hasCall(scene, server, client),
  );
  return [...seen, ...forbidden].flatMap(({ client, server }) =>
    client !== null &&
    server !== null &&
    client !== server &&
    services.hasEntries(client) &&
    roots.count(server) > 0
      ? [{ client, server }]
      : [],
  );
}

function isReported(drafts: readonly Draft[], { client, server }: Edge): boolean {
  return drafts.some((draft) => draft.client === client && draft.server === server);
}

/** The expectations name a caller of the callee that emits no spans: what it calls begins traces. */
function hasOtherCallers(scene: Scene, edge: Edge): boolean {
  return scene.expectation.edges.some(
    ({ client, server, rule }) => rule !== 'must-not' && server === edge.server && !hasSpans(scene, client),
  );
}

/** Requests without a call to the callee, each with a root of the callee, or a call of the caller that began a trace, within it. */
function pairWithBereft(scene: Scene, edge: Edge, roots: ReadonlySet<Span>): readonly Pair[] {
  const { graph, thresholds } = scene;
  const calls = scene.callsBetween(edge.client, edge.server).map(({ client }) => client);
  const detached = calls.filter((client) => isDetached(graph, graph.rowOf(client)));
  const callers = listCallers(
    scene,
    edge.client,
    calls.map((call) => graph.rowOf(call)),
  );
  const bereft = scene
    .entriesOf(edge.client)
    .filter((entry) => !callers.has(graph.rowOf(entry)) && !isHealthProbe(entry));
  const strays = [...roots, ...detached].toSorted(byStart);
  const found = groupBy(bereft, nameEndpoints(bereft)).flatMap((ofRoute) => {
    // A cache leaves requests without calls, too.
    const fewest = ofRoute.length * thresholds.displacedShare;
    if (strays.length < fewest || !areSure(takeFirst(ofRoute, strays, thresholds), thresholds)) return [];
    const all = { requests: ofRoute, strays, pairs: pairContained(ofRoute, strays, thresholds) };
    return all.pairs.length >= fewest && areSure(all, thresholds) ? all.pairs : [];
  });
  // It may lie within requests of two routes.
  return [...new Map(found.map((pair) => [pair.server, pair])).values()];
}

/** Requests, and what may be their calls. */
interface Paired {
  readonly requests: readonly Span[];
  readonly strays: readonly Span[];
  readonly pairs: readonly Pair[];
}

/** The first of them, and the requests that may enclose those: of most services they show that the requests enclose others by chance. */
function takeFirst(requests: readonly Span[], strays: readonly Span[], thresholds: Thresholds): Paired {
  const first = strays.slice(0, thresholds.mostRootsCompared);
  const last = first.at(-1)?.startTimeUnixNano ?? 0n;
  const early = requests.filter((request) => request.startTimeUnixNano <= last + thresholds.clockTolerance);
  return { requests: early, strays: first, pairs: pairContained(early, first, thresholds) };
}

/** Whether most fit nothing else, or more pair up than would at other times. */
function areSure({ requests, strays, pairs }: Paired, thresholds: Thresholds): boolean {
  if (pairs.length === 0) return false;
  const unique = pairs.filter((pair) => pair.unique);
  if (unique.length >= pairs.length * thresholds.uniqueShare) return true;
  const count = (moved: readonly Span[]): number => pairContained(requests, moved, thresholds).length;
  return isMoreThanChance(strays, pairs.length, count, thresholds);
}

function byStart(one: Span, other: Span): number {
  return Number(one.startTimeUnixNano - other.startTimeUnixNano);
}

function describe(
  { client, server }: Edge,
  pairs: readonly Pair[],
  ofRoots: readonly Pair[],
): UndecidedExpectation {
  const [first] = ofRoots;
  const detached = pairs.length - ofRoots.length;
  const also = detached === 0 ? '' : ` beside ${detached} calls of ${client} that began traces of their own`;
  return {
    client,
    server,
    says:
      `${pairs.length} requests of ${client} show no call to it, and ${ofRoots.length} traces began at ${server} while they were open${also}: ` +
      `a client library of ${client} that is not instrumented leaves such traces, and so do other callers; compare user agent and peer address of these ` +
      `spans (for instance in trace ${first?.server.traceId}) with ${client}, and name other callers under edges.may in --expectations`,
  };
}
