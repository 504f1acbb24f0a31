import { readCallFacts } from '../calls/call-facts.ts';
import { isEntry } from '../calls/edge.ts';
import { isPublicName } from '../calls/inside.ts';
import { isHealthProbe } from '../calls/probes.ts';
import { protocols } from '../calls/row-facts.ts';
import { nameTarget } from '../calls/target.ts';
import { isRoot } from '../graph/trace-graph.ts';
import { clockOf } from '../pairing/align-clocks.ts';
import { mayNameSides } from '../pairing/answers.ts';
import { isAddressedTo } from '../pairing/compare-requests.ts';
import { indexRequests } from '../pairing/index-requests.ts';
import { pairByIds } from '../pairing/pair-by-ids.ts';
import { type Pair, type PairSides, pairSpans } from '../pairing/pair-spans.ts';
import { startsDuring, startsDuringAny } from '../pairing/times.ts';
import type { Span } from '../span/span.ts';
import { countOf } from '../util/count-of.ts';
import { keyFor, mapBy } from '../util/group-by.ts';
import { remember, rememberOf } from '../util/remember.ts';
import { defineFinding } from './define-finding.ts';
import { describePair } from './describe-pair.ts';
import { protocolOf } from './draft.ts';
import { indexCalls } from './index-calls.ts';
import { withoutOtherAgents } from './other-agents.ts';
import { parentGate } from './parent-gate.ts';
import { describeReasons, rule } from './rule.ts';
import type { Open, Scene } from './scene.ts';
import { showCalls } from './shown-later.ts';
import { rankSplitCauses } from './split-causes.ts';
import { areNamed, type Loose, measureEdge, nameKind, type SplitEdge } from './split-edge.ts';
import { shareGates } from './split-share-gates.ts';
import { whyApart, whyUnpaired } from './why-apart.ts';

export const finding = defineFinding('split-trace', {
  kind: 'symptom',
  isConclusive: true,
  shows: 'A CLIENT without a child, and a root SERVER of B that pairs with it',
  title: 'One request, two traces',
  why: 'The span of the call has no child, and the called service\u2019s span for the same request is the root of another trace.',
  fix: 'Use `propagation-check tap` to see what the caller sends and what reaches the called service.',
  ofMessages: {
    title: 'One message, two traces',
    why: 'No span of the receiving service has the PRODUCER span as parent or link, and its span of the message is the root of another trace.',
  },
});

/**
 * A CLIENT span without a child, and a SERVER span that began a new trace for the same request. Evidence for the pair: time, method, path
 * or port, user agent, and that most calls to the target pair up. A coincidence (a probe or a direct caller during a call to a peer that is
 * not instrumented) does not fulfil these. Pairs that ids in headers prove are judged one by one.
 */
export const splitTraces = rule<JudgedEdge>({
  finding,
  measure: (scene, open) => {
    const clients = [...open.clients.filter((span) => span.kind === 'CLIENT'), ...listPassedOn(scene)];
    if (clients.length === 0) return [];
    const continued = listContinued(scene, open);
    const named = new Set(listNamed(scene, open, clients));
    const taken = new Set(Array.from(named, ({ client, server }) => [client, server]).flat());
    const strangers = [...open.roots.select(findAlike(scene, clients)), ...continued];
    const untaken = withoutAny(strangers, taken);
    const pairs = pairSpans(
      withoutAny(clients, taken),
      untaken,
      (client, server) => whyApart(scene, client, server) === null,
      scene.thresholds,
    );
    const groupEdges = (some: readonly Pair[]) => [
      ...mapBy(some, (pair) => numberEdge(scene, pair)).values(),
    ];
    const free = remember(() => new Set(withoutAny(untaken, new Set(pairs.map(({ server }) => server)))));
    const all = [...named, ...groupEdges(pairs).flatMap((edge) => withoutOtherAgents(scene, edge, free))];
    const targetOfRow = scene.facts.remember(nameTarget);
    const targetOf = (call: Span): string => targetOfRow(scene.graph.rowOf(call));
    const kindOf = scene.facts.remember(nameKind);
    const loose: Loose = {
      paired: remember(() => ({
        clients: new Set(all.map(({ client }) => client)),
        servers: new Set(all.map(({ server }) => server)),
      })),
      calls: indexCalls(clients, targetOf),
      roots: open.roots,
      continued: mapBy(continued, (span) => span.serviceName),
      orphans: mapBy(open.orphans, (span) => span.serviceName),
      targetOf,
      kindOf,
      kindsOf: rememberOf((server: string | null) => open.roots.countBy(server, kindOf)),
    };
    const judge = prepareJudge(scene, loose, all, named);
    return groupEdges(all).flatMap((group) => {
      const proven = group.filter((pair) => named.has(pair));
      const others = group.filter((pair) => !named.has(pair));
      const measure = (some: readonly Pair[]) => measureEdge(scene, loose, some, named).map(judge);
      const edge = measure([...proven, ...others]);
      const isOne = proven.length === 0 || edge.every(({ judged }) => areOpen(judged()));
      return isOne ? edge : [...measure(proven), ...measure(others)];
    });
  },
  gates: [
    parentGate(({ pairs }) => pairs.map(({ server }) => server)),
    ...shareGates.map((one) => ({
      ...one,
      isOpen: (edge: JudgedEdge, scene: Scene) => areNamed(edge) || one.isOpen(edge.judged(), scene),
    })),
  ],
  looseEnds: ({ pairs }) => pairs.flatMap(({ client, server }) => [client, server]),
  report: (edge) => {
    const { scene, client, server, pairs, named, whole } = edge;
    const unpaired = edge.countUnpaired();
    return finding.report({
      ...(mayBeOfOtherHost(edge.judged()) || isTimedByGuess(edge) || areAfterCalls(edge)
        ? { severity: 'warning' }
        : {}),
      client,
      server,
      protocol: protocolOf(pairs[0]?.client),
      candidates: rankSplitCauses(scene, pairs),
      shown: showCalls(pairs, (pair) =>
        describePair(scene, pair, {
          isProven: named.has(pair),
          isTimed: whole.length > 0,
          ...unpaired,
        }),
      ),
    });
  },
  whyNot: explainUnpaired,
});

interface JudgedEdge extends SplitEdge {
  /** The edge itself, or several edges to the same targets together. */
  readonly judged: () => SplitEdge;
}

/**
 * Services that call the same address share the requests of the called service, and behind a gateway the calls to one address are those of
 * several services: an edge alone has a part of them. An edge that fails alone is judged with the other callers, then with all edges
 * through the address. As there are more ways to pair up by chance, nearly all of these must.
 */
function prepareJudge(
  scene: Scene,
  loose: Loose,
  pairs: readonly Pair[],
  named: ReadonlySet<Pair>,
): (edge: SplitEdge) => JudgedEdge {
  const { splitCallsShare, splitRequestsShare, everyCallShare } = scene.thresholds;
  const keyOf = ({ client }: Pair, ...more: readonly (string | null)[]): string =>
    keyFor(scene.facts.protocolOf(scene.graph.rowOf(client)), loose.targetOf(client), ...more);
  const keyWithServer = (pair: Pair): string => keyOf(pair, pair.server.serviceName);
  const prepareTogether = (key: (pair: Pair) => string): ((own: readonly Pair[]) => Together | null) => {
    const byKey = remember(() => mapBy(pairs, key));
    const measure = remember((...keys: readonly string[]): Together | null => {
      const [edge] = measureEdge(
        scene,
        loose,
        keys.flatMap((one) => byKey().get(one) ?? []),
        named,
      );
      if (edge === undefined) return null;
      const most = Math.max(edge.toTargets.length, edge.alike.count);
      return {
        edge,
        areOpen: remember(() => edge.pairs.length >= most * everyCallShare && areOpen(edge)),
      };
    });
    return (own) => measure(...new Set(own.map(key)));
  };
  const [ofServer, ofTarget] = [prepareTogether(keyWithServer), prepareTogether((pair) => keyOf(pair))];
  const judgeTogether = ({ client, pairs: own, toTargets }: SplitEdge): SplitEdge | null => {
    const [called, all] = [ofServer(own)?.edge, ofTarget(own)?.edge];
    if (called === undefined || all === undefined) return null;
    const isMost =
      all.pairs.filter((pair) => pair.client.serviceName === client).length >=
        toTargets.length * splitCallsShare && called.pairs.length >= called.alike.count * splitRequestsShare;
    if (!isMost) return null;
    return [ofServer(own), ofTarget(own)].find((together) => together?.areOpen())?.edge ?? null;
  };
  return (edge) => ({
    ...edge,
    judged: remember(() => (areOpen(edge) ? edge : (judgeTogether(edge) ?? edge))),
  });
}

interface Together {
  readonly edge: SplitEdge;
  readonly areOpen: () => boolean;
}

function areOpen(edge: SplitEdge): boolean {
  return shareGates.every(({ isOpen }) => isOpen(edge, edge.scene));
}

/**
 * Whether the pairs are few and may be calls to another host. If the hosts on both sides are different public names, outside callers may
 * have sent the requests while the calls went to a third party with the same path; a CDN may also rename the host. If calls or requests are
 * left over, any other address raises this doubt: proxies and containers change addresses too, but then all calls and requests pair up.
 */
function mayBeOfOtherHost(edge: SplitEdge): boolean {
  const { scene, pairs, toTargets, alike, named, isExpected } = edge;
  if (isExpected || pairs.length >= scene.thresholds.fewestTimeOnly) return false;
  const isLeftOver = Math.max(toTargets.length, alike.count) > pairs.length;
  return pairs.every(
    (pair) =>
      !named.has(pair) && (haveOtherNames(pair) || (isLeftOver && !isAddressedTo(pair.client, pair.server))),
  );
}

/** Whether a call and a request name different public hosts. */
function haveOtherNames({ client, server }: Pair): boolean {
  const [called, received] = [readCallFacts(client).host, readCallFacts(server).host];
  return isPublicName(called) && isPublicName(received) && called !== received;
}

/** Whether a pair fits only by a clock offset that was guessed from loose ends: nothing else connects the two clocks. */
function isTimedByGuess({ scene: { clockOffsets }, pairs, named }: SplitEdge): boolean {
  const guessOf = (span: Span): string | null => clockOffsets.get(clockOf(span))?.guess ?? null;
  return pairs.some((pair) => !named.has(pair) && guessOf(pair.client) !== guessOf(pair.server));
}

/** Whether every request began after its call had ended: another program may have sent them. */
function areAfterCalls({ scene: { thresholds }, pairs, named, isExpected }: SplitEdge): boolean {
  return (
    !isExpected &&
    pairs.every(
      (pair) =>
        !named.has(pair) && pair.server.startTimeUnixNano > pair.client.endTimeUnixNano + thresholds.rounding,
    )
  );
}

/** A number for the edge of a pair: its services and protocol. */
function numberEdge({ graph, facts }: Scene, { client, server }: PairSides): number {
  const caller = graph.rowOf(client);
  const called = graph.rowOf(server);
  const services = graph.serviceNumberOf(caller) * graph.serviceCount + graph.serviceNumberOf(called);
  return services * protocols.length + protocols.indexOf(facts.protocolOf(caller));
}

/** Why a call or a root is in no pair. */
function explainUnpaired(scene: Scene, open: Open, looseEnd: Span): string | null {
  const continued = listContinued(scene, open);
  if (looseEnd.kind === 'CLIENT') {
    const isOther = ({ traceId }: Span): boolean => traceId !== looseEnd.traceId;
    const during = [
      ...open.roots.select(startsDuringAny(scene.graph, [looseEnd], scene.thresholds)),
      ...continued,
    ].filter((root) => isOther(root) && startsDuring(root, looseEnd, scene.thresholds));
    const others = open.roots.countOutside(looseEnd) + continued.filter(isOther).length;
    return during.length === 0
      ? `no SERVER span began another trace while the call was open (${others} at other times)`
      : describeReasons(
          `${countOf(during.length, 'SERVER span')} began other traces meanwhile`,
          during.map((root) => whyUnpaired(scene, open, looseEnd, root)),
        );
  }
  const isStranger = (isEntry(looseEnd) && isRoot(looseEnd)) || continued.includes(looseEnd);
  if (!isStranger) return null;
  const clients = open.clients.filter((span) => span.kind === 'CLIENT');
  const during = clients.filter((client) => startsDuring(looseEnd, client, scene.thresholds));
  return during.length === 0
    ? `no call without a child was open when it began (${clients.length} at other times)`
    : describeReasons(
        `${countOf(during.length, 'open call')} without a child`,
        during.map((client) => whyUnpaired(scene, open, client, looseEnd)),
      );
}

/** SERVER spans with a missing parent whose trace has no beginning in the data. If it has one, the missing parent is lost telemetry. */
function listContinued(scene: Scene, open: Open): readonly Span[] {
  return open.orphans.filter((span) => span.kind === 'SERVER' && !scene.graph.isBegun(span.traceId));
}

/** Pairs of two traces that ids in headers prove. */
export function listNamed(scene: Scene, open: Open, clients: readonly Span[]): readonly Pair[] {
  const { graph, headers, shared, thresholds } = scene;
  if (!mayNameSides(graph, headers.wire)) return [];
  const isOpenMeanwhile = startsDuringAny(graph, clients, thresholds);
  const servers = [...open.roots.select(isOpenMeanwhile), ...listContinued(scene, open)];
  return pairByIds(graph, clients, servers, shared.answersOf, thresholds).filter(
    ({ client, server }) => server.kind === 'SERVER' && !graph.areOfOneTrace(client, server),
  );
}

function withoutAny(spans: readonly Span[], taken: ReadonlySet<Span>): readonly Span[] {
  return taken.size === 0 ? spans : spans.filter((span) => !taken.has(span));
}

/**
 * Whether a row may be the request of some call that was open when it started; asked before views are made. If no expectation names its
 * service as called, the call and the row must agree in more than time.
 */
function findAlike(scene: Scene, clients: readonly Span[]): (row: number) => boolean {
  const { graph, facts, thresholds } = scene;
  const expected = new Set<string | null>(scene.expectation.edges.map(({ server }) => server));
  const mayBeSame = indexRequests(clients, facts);
  return startsDuringAny(
    graph,
    clients,
    thresholds,
    (row, at) => expected.has(graph.serviceOf(row)) || mayBeSame(row, at),
  );
}

/**
 * Requests that a gateway or sidecar recorded only as a SERVER span, without a CLIENT span for passing them on, and without a child: in
 * whole calls that SERVER span is the parent of the next service, or the service makes no CLIENT spans and an expectation says that it
 * calls.
 */
function listPassedOn(scene: Scene): readonly Span[] {
  const passing = new Set(
    scene.groups.filter(({ clientKind }) => clientKind === 'SERVER').map(({ client }) => client),
  );
  for (const { client, rule } of scene.expectation.edges) {
    if (rule === 'must' && !scene.services.isCalling(client)) passing.add(client);
  }
  return [...passing]
    .flatMap((service) => scene.selectSpans(service, (row) => !scene.graph.hasChild(row)))
    .filter((span) => span.kind === 'SERVER' && !isHealthProbe(span));
}
