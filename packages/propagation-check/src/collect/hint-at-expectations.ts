import { isIP } from 'node:net';
import type { Expectation, ExpectedEdge } from '../expect/expectation.ts';
import { listToleratedNames } from '../rules/tolerated-peer.ts';
import { countOf } from '../util/count-of.ts';
import { suggestInstead, suggestName } from '../util/suggest-name.ts';
import { ownServiceName } from '../verdict/own-service.ts';
import type { Result, Undecided, UnjudgedEdge } from '../verdict/result.ts';
import { listNames } from './list-names.ts';

/** Notes that a result lacks: expected services that the data do not know, and calls that it cannot see. @param names Of the services. */
export function hintAtExpectations(
  result: Result,
  names: Iterable<string | null>,
  expectation: Expectation,
): readonly string[] {
  const services = listServices(names);
  if (services.length === 0) return [];
  const { edges: expected } = expectation;
  const misspelt = [
    ...hintAtTolerated(result, expectation, services),
    ...hintAtAnswering(expectation, services),
  ];
  if (expected.length > 0)
    return [
      ...misspelt,
      ...hintAtUnknown(result, expected, services),
      ...hintAtReversed(result, expected),
      ...hintAtUndecided(result),
      ...hintAtUnjudged(result, services),
    ];
  return [
    ...misspelt,
    ...hintAtUnjudged(result, services),
    ...(result.verdict === 'intact' ? hintAtUnseen(result, services) : []),
  ];
}

/** Why spans give no verdict, and what to add. @param names Of their services. */
export function explainNothingToJudge(
  { findings, edges, traces, spans: count, undecided = [], unjudged = [] }: Result,
  names: Iterable<string | null>,
  { edges: expected }: Expectation,
): string {
  if (undecided.length > 0) return undecided.map(describeUndecided).join('; ');
  const services = listServices(names);
  const orName = expected.length > 0 ? '' : `, or name an edge that must be there with ${expectExample}`;
  const but = edges.some(({ tolerated }) => tolerated === true)
    ? ' but those of tolerated peers'
    : edges.some(({ client }) => client === ownServiceName)
      ? ' but those of this tool itself'
      : '';
  const unseen = hintAtUnseenPeers(unjudged);
  const toItself = unseen.length > 0 ? [] : hintAtOneName(edges);
  return [
    `no call between two services was seen${but}${services.length === 0 ? '' : `, only spans of ${listNames(services)}`} ` +
      `(${countOf(traces, 'trace')}, ${countOf(count, 'span')})`,
    ...(unseen.length > 0 ? unseen : describePeers(findings)),
    ...toItself,
    ...(unseen.length > 0 || toItself.length > 0
      ? []
      : [`add the spans of every service that takes part${orName}`]),
  ].join('; ');
}

/** Two processes that were given one name look like a service that calls itself. */
function hintAtOneName(edges: Result['edges']): readonly string[] {
  const alike = edges
    .filter((edge) => edge.client === edge.server && edge.calls > 0 && edge.tolerated !== true)
    .flatMap(({ client }) => client ?? []);
  const names = [...new Set(alike)];
  const [name] = names;
  if (name === undefined) return [];
  return [
    `both sides of the calls of ${listNames(names)} have the same service.name: give each service its own (OTEL_SERVICE_NAME), ` +
      `or, if it is meant to call itself, name the edge with --expect ${JSON.stringify(`${name} -> ${name}`)}`,
  ];
}

function describeUndecided({ client, server, says }: Undecided): string {
  return client === null || server === null ? says : `${client} -> ${server}: ${says}`;
}

function listServices(names: Iterable<string | null>): readonly string[] {
  return [...new Set(names)]
    .filter((service) => service !== null)
    .filter((service) => service !== ownServiceName);
}

/** A service that is expected and has no span is often one that is called otherwise. */
function hintAtUnknown(
  { undecided = [] }: Result,
  expected: readonly ExpectedEdge[],
  services: readonly string[],
): readonly string[] {
  const unknown = listUnknown(expected, services);
  if (unknown.length === 0) return [];
  const misspelt = suggestNames(expected, services);
  // Each has its own reason there.
  if (undecided.length > 0 && misspelt.length === 0) return [];
  return [
    `no span of ${listNames(unknown)} is here, only of ${listNames(services)}: ` +
      (misspelt.length > 0
        ? misspelt.join('; ')
        : 'check the names (service.name) and whether the service exports'),
  ];
}

/** Expected edges without a whole call, where those the other way round have some. */
function hintAtReversed({ edges }: Result, expected: readonly ExpectedEdge[]): readonly string[] {
  const countWhole = (client: string, server: string): number =>
    edges
      .filter((edge) => edge.client === client && edge.server === server)
      .reduce((sum, { calls, broken }) => sum + calls - broken, 0);
  const isNamed = (client: string, server: string): boolean =>
    expected.some((edge) => edge.client === client && edge.server === server);
  return expected.flatMap(({ client, server, rule }) => {
    const whole = countWhole(server, client);
    if (rule !== 'must' || whole === 0 || countWhole(client, server) > 0 || isNamed(server, client))
      return [];
    return [
      `no call of ${client} -> ${server} is whole, but ${countOf(whole, 'call')} of ${server} -> ${client}: did you mean ${server} -> ${client}?`,
    ];
  });
}

/** Expected services without a span that are called nearly as others are: `did you mean web instead of wbe?` @param names Of the services. */
export function listMisspelt(
  names: Iterable<string | null>,
  { edges: expected }: Expectation,
): readonly string[] {
  return suggestNames(expected, listServices(names));
}

function listUnknown(expected: readonly ExpectedEdge[], services: readonly string[]): readonly string[] {
  const named = expected
    .filter(({ rule }) => rule !== 'may')
    .flatMap(({ client, server }) => [client, server]);
  return [...new Set(named)].filter((service) => !services.includes(service));
}

/** A name that the expectation itself uses is that of another service. */
function suggestNames(expected: readonly ExpectedEdge[], services: readonly string[]): readonly string[] {
  const named = new Set(expected.flatMap(({ client, server }) => [client, server]));
  const others = services.filter((service) => !named.has(service));
  return listUnknown(expected, services).flatMap((name) => suggestInstead(name, others) ?? []);
}

/** Tolerated peers that nobody calls, where calls to peers that are called nearly so are left. */
function hintAtTolerated(
  { edges, unjudged = [] }: Result,
  expectation: Expectation,
  services: readonly string[],
): readonly string[] {
  const met = new Set(
    edges
      .filter(({ tolerated }) => tolerated === true)
      .flatMap(({ client, server }) => [client, server])
      .map((name) => name?.toLowerCase()),
  );
  const left = [...unjudged.flatMap(({ peer }) => [peer, peer.replace(/:\d+$/, '')]), ...services];
  return listToleratedNames(expectation).flatMap((name) => {
    const meant = met.has(name.toLowerCase()) ? null : suggestName(name, left);
    return meant === null || meant.toLowerCase() === name.toLowerCase()
      ? []
      : [`nobody calls the tolerated peer ${name}: did you mean ${meant}?`];
  });
}

/** Services of which every answer should name its span, and that have none under this name. */
function hintAtAnswering({ traceresponse }: Expectation, services: readonly string[]): readonly string[] {
  return traceresponse.flatMap((name) => {
    const meant = services.includes(name) ? null : suggestName(name, services);
    return meant === null ? [] : [`no span of ${name}, under traceresponse, is here: did you mean ${meant}?`];
  });
}

/** The expectations that a verdict leaves open; where there is none, they are its reason. */
function hintAtUndecided({ verdict, undecided = [] }: Result): readonly string[] {
  return verdict === 'unknown' ? [] : undecided.map((each) => `not judged: ${describeUndecided(each)}`);
}

/** The edges that no verdict covers, why, and how that changes. */
function hintAtUnjudged({ verdict, unjudged = [] }: Result, services: readonly string[]): readonly string[] {
  if (verdict === 'unknown') return [];
  const isUncalled = isRequestOf(services);
  const uncalled = unjudged.filter((edge) => edge.client === null && isReceivedBy(edge, services));
  const named = unjudged.filter((edge) => !uncalled.includes(edge));
  return [
    ...hintAtUnseenPeers(named.filter((edge) => !isUncalled(edge))),
    ...hintAtUncovered(named),
    ...hintAtUnknownCallers(named.filter(isUncalled)),
    ...hintAtUncalled(uncalled),
  ];
}

function hintAtUncalled(uncalled: readonly UnjudgedEdge[]): readonly string[] {
  const [first] = uncalled;
  if (first === undefined) return [];
  const names = uncalled.map(
    (edge) => `${edge.peer} (${countOf(edge.calls, isMessage(edge) ? 'message' : 'request')})`,
  );
  return [
    `not judged: ${listNames(names)}: they began traces, and nothing here shows who made them: calls from outside, or calls whose context was lost; if a ` +
      `service of yours makes them, name the edge with --expect ${JSON.stringify(`caller -> ${first.peer}`)}; otherwise list ${JSON.stringify(`outside -> ${first.peer}`)} ` +
      'under edges: may in --expectations',
  ];
}

/** Requests without a call. The other side of a call that was seen is no service that emits spans, but a host and port. */
function isRequestOf(services: readonly string[]): (edge: UnjudgedEdge) => boolean {
  return (edge) => isReceivedBy(edge, services) && !isMessage(edge);
}

function isReceivedBy({ peer, server, why }: UnjudgedEdge, services: readonly string[]): boolean {
  return services.includes(peer) && server === undefined && why === undefined;
}

function hintAtUnseenPeers(unjudged: readonly UnjudgedEdge[]): readonly string[] {
  return [
    ...hintAtUnansweredCalls(
      unjudged.filter((edge) => edge.server === undefined && edge.why === undefined && !isMessage(edge)),
    ),
    ...hintAtUnprovable(unjudged),
    ...hintAtUnreceived(unjudged.filter((edge) => isMessage(edge) && edge.server === undefined)),
    ...hintAtPartlyReceived(unjudged.filter(isMessage)),
  ];
}

function hintAtUnansweredCalls(unseen: readonly UnjudgedEdge[]): readonly string[] {
  if (unseen.length === 0) return [];
  const named = unseen.find(({ peer }) => guessService(peer) !== null) ?? unseen[0];
  const path = `${named?.client ?? 'caller'} -> ${guessService(named?.peer ?? '') ?? 'called'}`;
  return [
    `not judged: ${nameUnjudged(unseen)}: no SERVER span of that side is here, so that nothing tells whether the context arrived; if it is a ` +
      `service of yours, send its spans to the same place and name the edge with --expect ${JSON.stringify(path)}; otherwise list it ` +
      'under tolerated-peers in --expectations',
  ];
}

/** Spans of the called service are here, and prove nothing of these calls. */
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
          `not judged: ${nameUnjudged(unlinked)}: requests that fit them began traces, and a limit of the SDK left their links out: raise ` +
            'OTEL_SPAN_LINK_COUNT_LIMIT in the called service, and check again',
        ]),
  ];
}

function isMessage({ protocol }: UnjudgedEdge): boolean {
  return protocol === 'messaging';
}

function hintAtUnreceived(unjudged: readonly UnjudgedEdge[]): readonly string[] {
  const [first] = unjudged;
  if (first === undefined) return [];
  const path = JSON.stringify(`${first.client ?? 'sender'} -> receiver`);
  return [
    `not judged: ${nameUnjudged(unjudged, 'message')}: no CONSUMER span here has them as parent or link, so that nothing tells whether the context arrived; if a ` +
      `service of yours receives them, send its spans to the same place and name the edge with --expect ${path}`,
  ];
}

/** Other messages of the same destination were received. */
function hintAtPartlyReceived(unjudged: readonly UnjudgedEdge[]): readonly string[] {
  const partly = unjudged.filter(({ server }) => server !== undefined);
  const [first] = partly;
  if (first === undefined) return [];
  const path = JSON.stringify(`${first.client ?? 'sender'} -> ${first.server}`);
  return [
    `not judged: ${nameUnjudged(partly, 'message')}: ${listNames([...new Set(partly.map(({ server = '' }) => server))])} received others there, and no CONSUMER span ` +
      'here has these as parent or link, so that nothing tells whether the context arrived; an instance that exports no spans, a sampler of its own and messages ' +
      'that it skips look alike: see that each instance exports and that its sampler follows the sender (OTEL_TRACES_SAMPLER=parentbased_always_on); ' +
      `if messages of it began traces of their own, name the edge with --expect ${path}`,
  ];
}

/** Other calls to the same peer are whole. */
function hintAtUncovered(unjudged: readonly UnjudgedEdge[]): readonly string[] {
  const uncovered = unjudged.filter((edge) => edge.server !== undefined && !isMessage(edge));
  if (uncovered.length === 0) return [];
  return [
    `not judged: ${nameUnjudged(uncovered)}: other calls there are whole, but the called service delivered no span from the time of these: ` +
      'wait until it has exported them, or see why it does not, and check again',
  ];
}

/** A host name often begins with the name of the service; an address, or this machine, names none. */
function guessService(peer: string): string | null {
  const host = peer.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return isIP(host) > 0 || host === 'localhost' ? null : host.replace(/\..*$/, '');
}

function hintAtUnknownCallers(unjudged: readonly UnjudgedEdge[]): readonly string[] {
  if (unjudged.length === 0) return [];
  return [
    `not judged: ${nameUnjudged(unjudged)}: traces that began at the called service while the caller was busy; callers from outside make the same ` +
      'picture as a client library of it that is not instrumented: check one request at a time, or with a tap behind the caller',
  ];
}

function nameUnjudged(unjudged: readonly UnjudgedEdge[], one = 'call'): string {
  return listNames(
    unjudged.map(({ client, peer, calls }) => `${client ?? '(unknown)'} → ${peer} (${countOf(calls, one)})`),
  );
}

/** A call without its other side is taken for one to a peer that emits no spans, and a call without any span is not seen. */
function hintAtUnseen(
  { findings, edges, unjudged = [] }: Result,
  services: readonly string[],
): readonly string[] {
  const isUncalled = isRequestOf(services);
  const [peers] = describePeers(
    findings,
    unjudged.filter((edge) => !isUncalled(edge) && !isMessage(edge)),
  );
  if (peers !== undefined) {
    return [`${peers}; if one of these peers is yours, name the edge with ${expectExample}`];
  }
  if (unjudged.length > 0 || edges.some(({ client }) => client !== ownServiceName)) return [];
  return [
    `no call between services was seen, only spans of ${listNames(services)}; if one of them calls another service of ` +
      `yours, name the edge with ${expectExample}`,
  ];
}

const expectExample = '--expect "caller -> called"';

/** @param said Calls of which a note of their own tells. */
function describePeers(findings: Result['findings'], said: readonly UnjudgedEdge[] = []): readonly string[] {
  const peers = findings.filter((finding) => finding.id === 'uninstrumented-peer');
  const saidCalls = said.reduce((sum, edge) => sum + edge.calls, 0);
  const calls = peers.reduce((sum, finding) => sum + finding.count, 0) - saidCalls;
  if (calls === 0) return [];
  const [have, are] = calls === 1 ? ['1 call has', 'is'] : [`${calls} calls have`, 'are'];
  return [`${have} no SERVER span and ${are} taken for calls to peers that emit none`];
}
