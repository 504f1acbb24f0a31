import { isNameOfAnother } from '../calls/inside.ts';
import { type Expectation, isExpected } from '../expect/expectation.ts';
import { keepLinks, leftOut } from '../rules/left-out-links.ts';
import { thresholds } from '../rules/thresholds.ts';
import { countOf } from '../util/count-of.ts';
import { type Group, groupBy, keyFor } from '../util/group-by.ts';
import { listNames } from '../util/list-names.ts';
import { appendFacts } from '../verdict/append-facts.ts';
import {
  describeLate,
  describeShortly,
  describeWhatDecides,
  mayBeOneEdge,
} from '../verdict/describe-unreceived.ts';
import type { UnjudgedEdge } from '../verdict/result.ts';

/** Data for the notes on unjudged edges. */
export interface UnjudgedHints {
  /** The services that have spans. */
  readonly services: readonly string[];
  readonly expectation: Expectation;
}

/** Notes on the edges that the verdict does not cover: the reason, and what decides them. */
export function hintAtUnjudged(
  unjudged: readonly UnjudgedEdge[],
  { services, expectation }: UnjudgedHints,
): readonly string[] {
  const isUncalled = isRequestOf(services);
  const uncalled = unjudged.filter((edge) => edge.client === null && isReceivedBy(edge, services));
  const named = unjudged.filter((edge) => !uncalled.includes(edge));
  const paired = pairSides(named, uncalled);
  const left = named.filter((edge) => paired.every((pair) => pair.sent !== edge));
  const alone = uncalled.filter((edge) => paired.every(({ received }) => !received.includes(edge)));
  return [
    ...hintAtUnseenPeers(
      left.filter((edge) => !isUncalled(edge)),
      expectation,
    ),
    ...groupBy(paired, nameSides).map((pairs) => hintAtBothSides(pairs, expectation)),
    ...hintAtUncovered(left),
    ...hintAtUnseenHops(left),
    ...hintAtCallsAfterRequests(left),
    ...hintAtUnknownCallers(left.filter(isUncalled)),
    ...hintAtUnreadMessages(
      alone.filter(({ mayBe }) => mayBe !== undefined),
      expectation,
    ),
    ...hintAtUncalled(alone.filter(({ mayBe }) => mayBe === undefined)),
  ];
}

/**
 * Calls without a receiver in the data, and services that received requests without a caller: they may be the two sides of one edge that
 * lost its context.
 */
interface BothSides {
  readonly sent: UnjudgedEdge;
  readonly servers: readonly string[];
  /** The unjudged edges of the receiving side, as far as there are any. */
  readonly received: readonly UnjudgedEdge[];
}

function pairSides(named: readonly UnjudgedEdge[], uncalled: readonly UnjudgedEdge[]): readonly BothSides[] {
  return named.flatMap((sent) => {
    const { client, server, why, mayBe = [], began = 0 } = sent;
    if (client === null || why === 'linked-elsewhere' || isWhole(sent)) return [];
    const ofSender = uncalled.filter(
      (edge) =>
        edge.protocol === sent.protocol &&
        (server === undefined
          ? mayBe.includes(edge.peer)
          : edge.peer === server && edge.mayBe?.includes(client)),
    );
    const servers = server === undefined ? mayBe : began > 0 ? [server] : [];
    return servers.length === 0 ? [] : [{ sent, servers, received: ofSender }];
  });
}

/** The key for one note: replies have a queue for each sender or call, and similar edges share a note. */
function nameSides({ sent: { client, peer, protocol, server }, servers }: BothSides): string {
  return keyFor(client, protocol ?? null, server === undefined ? null : peer, ...servers);
}

function hintAtBothSides(pairs: Group<BothSides>, expectation: Expectation): string {
  const [{ sent, servers, received }] = pairs;
  const [span, above, call, request] = isMessage(sent)
    ? ['CONSUMER', 'parent or link', 'message', 'message']
    : ['SERVER', 'parent', 'call', 'request'];
  const { server, began = 0 } = sent;
  const counts =
    server === undefined
      ? received.map(({ peer, calls }) => `${peer} (${countOf(calls, request)})`)
      : [`${server} (${countOf(began, request)})`];
  const others =
    server === undefined ? servers.filter((one) => received.every(({ peer }) => peer !== one)) : [];
  const paths = servers.map((one): Path => [sent.client ?? '', one]);
  const [path] = paths;
  const decides =
    server === undefined || path === undefined
      ? askToExpect(paths, expectation)
      : `; ${describeWhatDecides(sent, isExpected(expectation, ...path) ? null : writeExpect(...path), thresholds)}`;
  return (
    `not judged: ${nameUnjudged(
      pairs.map((pair) => pair.sent),
      call,
    )} and ${listNames([...counts, ...others])}: no ${span} span here has the ${call}s of the one as ${above}, and ` +
    `nothing here shows who made the ${request}s of the other, which began traces: ${mayBeOneEdge}${appendFacts(sent.facts ?? [])}${decides}${describeLate(sent)}`
  );
}

type Path = readonly [client: string, server: string];

/** Asks to name edges with `--expect`, unless the expectations already have them. */
function askToExpect(paths: readonly Path[], expectation: Expectation): string {
  const unknown = paths.filter(([client, server]) => !isExpected(expectation, client, server));
  if (unknown.length === 0) return '';
  const options = unknown.slice(0, mostPaths).map(([client, server]) => writeExpect(client, server));
  return `; name the edge with ${options.join(' or ')} and check again`;
}

/** More options are hard to read. */
const mostPaths = 3;

function writeExpect(client: string, server: string): string {
  return `--expect ${JSON.stringify(`${client} -> ${server}`)}`;
}

function hintAtUncalled(uncalled: readonly UnjudgedEdge[]): readonly string[] {
  const [first] = uncalled;
  if (first === undefined) return [];
  return [
    `not judged: ${nameUncalled(uncalled)}: they began traces, and nothing here shows who made them: calls from outside, or calls whose context was lost; if a ` +
      `service of yours makes them, name the edge with ${writeExpect('CALLER', first.peer)}; otherwise list ${JSON.stringify(`outside -> ${first.peer}`)} ` +
      'under edges: may in --expectations',
  ];
}

/** Messages that began traces, from destinations to which services in the data sent more messages than were received with their context. */
function hintAtUnreadMessages(
  uncalled: readonly UnjudgedEdge[],
  expectation: Expectation,
): readonly string[] {
  return uncalled.map((edge) => {
    const { peer, mayBe = [] } = edge;
    const ask = askToExpect(
      mayBe.map((sender): Path => [sender, peer]),
      expectation,
    );
    return (
      `not judged: ${nameUncalled([edge])}: they began traces, and ${listNames(mayBe)} ${mayBe.length === 1 ? 'sends' : 'send'} to the same destination: ` +
      `messages whose context was lost, or messages of others${ask === '' ? ': look at such a message in the broker; if another program sends them,' : `${ask}; otherwise`} list ` +
      `${JSON.stringify(`outside -> ${peer}`)} under edges: may in --expectations`
    );
  });
}

function nameUncalled(uncalled: readonly UnjudgedEdge[]): string {
  return listNames(
    uncalled.map((edge) => `${edge.peer} (${countOf(edge.calls, isMessage(edge) ? 'message' : 'request')})`),
  );
}

/** Whether the edge is of requests without a call: its peer is a service with spans. The peer of a call is a host and port. */
export function isRequestOf(services: readonly string[]): (edge: UnjudgedEdge) => boolean {
  return (edge) => isReceivedBy(edge, services) && !isMessage(edge);
}

function isReceivedBy({ peer, server, why }: UnjudgedEdge, services: readonly string[]): boolean {
  return services.includes(peer) && server === undefined && why === undefined;
}

/** Whether the edge is between two services that have spans. */
export function isCallOf(services: readonly string[]): (edge: UnjudgedEdge) => boolean {
  const isUncalled = isRequestOf(services);
  return (edge) => edge.client !== null && isUncalled(edge);
}

export function hintAtLikelyCalls(likely: readonly UnjudgedEdge[]): readonly string[] {
  if (likely.length === 0) return [];
  const options = likely.map(({ client, peer }) => writeExpect(client ?? 'CALLER', peer));
  return [
    `not judged: ${nameUnjudged(likely, 'trace')}: they began at the called service, and fit what the caller did by their times or paths, or as messages, so that it may have ` +
      `caused them; if it calls that service, or sends it messages, check again with ${options.join(' ')}`,
  ];
}

/** Calls and messages without their other side. */
function hintAtUnseenPeers(unjudged: readonly UnjudgedEdge[], expectation: Expectation): readonly string[] {
  return [
    ...hintAtUnansweredCalls(
      unjudged.filter((edge) => edge.server === undefined && edge.why === undefined && !isMessage(edge)),
      expectation,
    ),
    ...hintAtUnprovable(unjudged),
    ...hintAtUnreceived(
      unjudged.filter((edge) => isMessage(edge) && edge.server === undefined && edge.why === undefined),
    ),
    ...hintAtLinkedElsewhere(unjudged),
    ...hintAtPartlyReceived(unjudged.filter(isMessage)),
    ...hintAtShortBatches(unjudged),
    ...hintAtWaiting(unjudged.filter(({ why }) => why === 'waiting')),
  ];
}

function hintAtUnansweredCalls(unseen: readonly UnjudgedEdge[], expectation: Expectation): readonly string[] {
  if (unseen.length === 0) return [];
  const named = unseen.find(({ peer }) => guessService(peer) !== null) ?? unseen[0];
  const guessed = guessService(named?.peer ?? '');
  const path: Path = [named?.client ?? 'CALLER', guessed ?? 'SERVICE'];
  const meant = guessed === null ? ` (SERVICE: the service.name of ${named?.peer})` : '';
  const isGiven = isExpected(expectation, ...path);
  return [
    `not judged: ${nameUnjudged(unseen)}: no SERVER span of that side is here, so that nothing tells whether the context arrived; if it is a ` +
      `service of yours, send its spans to the same place${isGiven ? '' : ` and name the edge with ${writeExpect(...path)}${meant}`}; otherwise list it ` +
      'under tolerated-peers in --expectations',
  ];
}

/** Calls whose service has spans, which prove nothing about these calls. */
function hintAtUnprovable(unjudged: readonly UnjudgedEdge[]): readonly string[] {
  const cached = unjudged.filter(({ why }) => why === 'cached-answer');
  const unlinked = unjudged.filter(({ why }) => why === 'dropped-links');
  return [
    ...(cached.length === 0
      ? []
      : [
          `not judged: ${nameUnjudged(cached)}: the answers name spans of other calls, so that a cache gave them, or clocks are apart; requests that no ` +
            'cache answers are judged',
        ]),
    ...(unlinked.length === 0
      ? []
      : [
          `not judged: ${nameUnjudged(unlinked)}: requests that fit them began traces, and links of these are ${leftOut}: ` +
            keepLinks,
        ]),
  ];
}

export function isMessage({ protocol }: UnjudgedEdge): boolean {
  return protocol === 'messaging';
}

function hintAtUnreceived(unjudged: readonly UnjudgedEdge[]): readonly string[] {
  const [first] = unjudged;
  if (first === undefined) return [];
  const them = nameThem(unjudged);
  return [
    `not judged: ${nameUnjudged(unjudged, 'message')}: no CONSUMER span here has ${them} as parent or link, so that nothing tells whether the context arrived; if a ` +
      `service of yours receives ${them}, send its spans to the same place and name the edge with ${writeExpect(first.client ?? 'SENDER', 'RECEIVER')}`,
  ];
}

function hintAtLinkedElsewhere(unjudged: readonly UnjudgedEdge[]): readonly string[] {
  return unjudged
    .filter(({ why }) => why === 'linked-elsewhere')
    .map((edge) => `not judged: ${nameUnjudged([edge], 'message')}: ${(edge.facts ?? []).join('; ')}`);
}

/** Other messages of the same destination were received. */
function hintAtPartlyReceived(unjudged: readonly UnjudgedEdge[]): readonly string[] {
  const partly = unjudged.filter(({ server, why }) => server !== undefined && why === undefined);
  const [first] = partly.toSorted((one, other) => (other.late ?? 0) - (one.late ?? 0));
  if (first === undefined) return [];
  return [
    `not judged: ${nameUnjudged(partly, 'message')}: ${listNames([...new Set(partly.map(({ server = '' }) => server))])} received others there, and no CONSUMER span ` +
      'here has these as parent or link, so that nothing tells whether the context arrived; an instance that exports no spans, a sampler of its own and messages ' +
      'that it skips look alike: see that each instance exports and that its sampler follows the sender (OTEL_TRACES_SAMPLER=parentbased_always_on)' +
      appendFacts(partly.flatMap(({ facts = [] }) => facts)) +
      describeLate(first),
  ];
}

function hintAtShortBatches(unjudged: readonly UnjudgedEdge[]): readonly string[] {
  return unjudged
    .filter(({ why }) => why === 'short-batch')
    .map((edge) => `not judged: ${nameUnjudged([edge], 'message')}: ${describeShortly(edge)}`);
}

function hintAtWaiting(unjudged: readonly UnjudgedEdge[]): readonly string[] {
  if (unjudged.length === 0) return [];
  const them = nameThem(unjudged);
  return [
    `not judged: ${nameUnjudged(unjudged, 'message')}: sent at the end of the capture, and may not have been received yet: wait until the consumer has taken ` +
      `${them}, and check again`,
  ];
}

/** Whether the edge has calls without a SERVER span although other calls to the same peer are whole. */
export function isUncovered(edge: UnjudgedEdge): boolean {
  return edge.server !== undefined && edge.why === undefined && !isMessage(edge);
}

function hintAtUncovered(unjudged: readonly UnjudgedEdge[]): readonly string[] {
  const uncovered = unjudged.filter(isUncovered);
  if (uncovered.length === 0) return [];
  return [
    `not judged: ${nameUnjudged(uncovered)}: other calls there are whole, but the called service delivered no span from the time of these: ` +
      'wait until it has exported them, or see why it does not (a cache may have answered), and check again',
  ];
}

function hintAtUnseenHops(unjudged: readonly UnjudgedEdge[]): readonly string[] {
  return unjudged
    .filter(({ why }) => why === 'unseen-hop')
    .map(({ client, peer, server, calls }) => {
      const between = guessService(peer) ?? 'BETWEEN';
      const path = `${client ?? 'CALLER'} -> ${between} -> ${server}`;
      // A path that repeats the called service would name no service in between.
      const named = between === server ? '' : ` and name the path with --expect ${JSON.stringify(path)}`;
      return (
        `not judged: ${client} → ${peer} (${countOf(calls, 'call')}): they arrived at ${server} with other paths and at another port, so that a service or proxy ` +
        `without spans stands in between; if it is a service of yours, send its spans to the same place${named}`
      );
    });
}

function hintAtCallsAfterRequests(unjudged: readonly UnjudgedEdge[]): readonly string[] {
  const found = unjudged.filter(({ why }) => why === 'after-request');
  return found.length === 0
    ? []
    : [
        `not judged: ${nameUnjudged(found)}: they are whole, but began traces of their own, and requests of the caller that may have made them lack them: work of a ` +
          'queue, or after the answer, that has lost the context looks like this, and so does work that begins a trace on purpose, as a timer does: see in the code of the ' +
          'caller whether requests start the work, and hand their context over (propagation-check explain context-lost-in-process)',
      ];
}

/** Whether the calls of the edge are whole, and only a hop or their cause is not judged. */
export function isWhole({ why }: UnjudgedEdge): boolean {
  return why === 'unseen-hop' || why === 'after-request';
}

function nameThem(unjudged: readonly UnjudgedEdge[]): string {
  return unjudged.length === 1 && unjudged[0]?.calls === 1 ? 'it' : 'them';
}

function guessService(peer: string): string | null {
  const host = peer.replace(/:\d+$/, '');
  return isNameOfAnother(host) ? host.replace(/\..*$/, '') : null;
}

function hintAtUnknownCallers(unjudged: readonly UnjudgedEdge[]): readonly string[] {
  if (unjudged.length === 0) return [];
  return [
    `not judged: ${nameUnjudged(unjudged)}: traces that began at the called service while the caller was busy; callers from outside make the same ` +
      'picture as a client library of it that is not instrumented: check one request at a time, or with a tap behind the caller',
  ];
}

function nameUnjudged(unjudged: readonly UnjudgedEdge[], one = 'call'): string {
  const names = unjudged.map(
    ({ client, peer, calls }) => `${client ?? '(unknown)'} → ${peer} (${countOf(calls, one)})`,
  );
  // Messages that several services may have received have one entry for each service.
  return listNames([...new Set(names)]);
}
