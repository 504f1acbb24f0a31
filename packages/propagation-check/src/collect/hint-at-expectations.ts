import { ownServiceName } from '../calls/own-service.ts';
import { isSameEdge } from '../calls/same-edge.ts';
import type { Expectation, ExpectedEdge } from '../expect/expectation.ts';
import type { EndedCalls } from '../rules/draft.ts';
import { isUnnamed } from '../rules/expected-calls.ts';
import { findMeant, isSlipOfOther, listUnnamed, suggestOther } from '../rules/misspelt-service.ts';
import { listToleratedNames } from '../rules/tolerated-peer.ts';
import { countOf } from '../util/count-of.ts';
import { listNames } from '../util/list-names.ts';
import { sumOf } from '../util/statistics.ts';
import { suggestName } from '../util/suggest-name.ts';
import { leavesOpen } from '../verdict/leaves-open.ts';
import type { Result, Undecided, UnjudgedEdge } from '../verdict/result.ts';
import {
  hintAtLikelyCalls,
  hintAtUnjudged,
  isCallOf,
  isMessage,
  isRequestOf,
  isUncovered,
  isWhole,
} from './hint-at-unjudged.ts';

/**
 * Notes in addition to the result: expected services without spans, and calls that it does not cover. @param names Names of the services
 * in the data.
 */
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
  // If nothing was judged, `explainNothingToJudge` names the unjudged edges.
  const unjudged =
    result.verdict === 'unknown' && (result.undecided ?? []).length === 0
      ? []
      : hintAtUnjudged(result.unjudged ?? [], { services, expectation });
  if (expected.length > 0)
    return [
      ...misspelt,
      ...hintAtUnknown(result, expected, services),
      ...hintAtReversed(result, expected),
      ...hintAtUndecided(result),
      ...unjudged,
    ];
  return [...misspelt, ...unjudged, ...(result.verdict === 'intact' ? hintAtUnseen(result, services) : [])];
}

/** Explains why spans give no verdict, and what to add. @param names Names of the services in the data. */
export function explainNothingToJudge(
  { findings, edges, traces, spans: count, undecided = [], unjudged = [] }: Result,
  names: Iterable<string | null>,
  expectation: Expectation,
): string {
  if (undecided.length > 0) return listUndecided(undecided).join('; ');
  const read = `(${countOf(traces, 'trace')}, ${countOf(count, 'span')})`;
  if (findings.some((one) => one.known === true && leavesOpen(one)))
    return `nothing is judged but what the baseline knows ${read}`;
  const services = listServices(names);
  const orName =
    expectation.edges.length > 0 ? '' : `, or name an edge that must be there with ${findExample(findings)}`;
  const but = edges.some(({ tolerated }) => tolerated === true)
    ? ' but those of tolerated peers'
    : edges.some(({ client }) => client === ownServiceName)
      ? ' but those of this tool itself'
      : '';
  const isLikely = isCallOf(services);
  // The note on calls that may belong to this edge already names it.
  const isAlreadyNamed = ({ client, peer }: UnjudgedEdge): boolean =>
    unjudged.some(
      (sent) => sent.client === client && sent.server === undefined && sent.mayBe?.includes(peer) === true,
    );
  const unseen = [
    ...hintAtUnjudged(
      unjudged.filter((edge) => !isLikely(edge)),
      { services, expectation },
    ),
    ...hintAtLikelyCalls(unjudged.filter((edge) => isLikely(edge) && !isAlreadyNamed(edge))),
  ];
  const toItself = unseen.length > 0 ? [] : hintAtOneName(edges);
  return [
    `no call between two services was seen${but}${services.length === 0 ? '' : `, only spans of ${listNames(services)}`} ` +
      read,
    ...(unseen.length > 0 ? unseen : describePeers(findings)),
    ...toItself,
    ...(unseen.length > 0 || toItself.length > 0
      ? []
      : [`add the spans of every service that takes part${orName}`]),
  ].join('; ');
}

/** Two services with the same name, or without one, look like a service that calls itself. */
function hintAtOneName(edges: Result['edges']): readonly string[] {
  const alike = edges.filter(
    (edge) => edge.client === edge.server && edge.calls > 0 && edge.tolerated !== true,
  );
  const names = [...new Set(alike.flatMap(({ client }) => client ?? []))].filter((name) => !isUnnamed(name));
  const [name] = names;
  if (name === undefined)
    return alike.length === 0
      ? []
      : [
          'both sides of the calls have no service.name: give each service one (OTEL_SERVICE_NAME; in Zipkin localEndpoint.serviceName)',
        ];
  return [
    `both sides of the calls of ${listNames(names)} have the same service.name: give each service its own (OTEL_SERVICE_NAME), ` +
      `or, if it is meant to call itself, name the edge with --expect ${JSON.stringify(`${name} -> ${name}`)}`,
  ];
}

/** A longer list is hard to read; the edges of the result have all of them. */
const mostUndecided = 5;

function listUndecided(undecided: readonly Undecided[]): readonly string[] {
  const more = undecided.length - mostUndecided;
  return [
    ...undecided.slice(0, mostUndecided).map(describeUndecided),
    ...(more > 0 ? [`and ${countOf(more, 'more edge')}`] : []),
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

/** An expected service without spans often has another name in the data. */
function hintAtUnknown(
  { undecided = [] }: Result,
  expected: readonly ExpectedEdge[],
  services: readonly string[],
): readonly string[] {
  // Undecided edges have a note with their own reason.
  const isUndecided = (edge: ExpectedEdge): boolean => undecided.some((each) => isSameEdge(each, edge));
  const decided = expected.filter((edge) => !isUndecided(edge));
  const unknown = listUnknown(decided, services);
  if (unknown.length === 0) return [];
  const misspelt = suggestNames(expected, services);
  const wanted = listUnknown(
    decided.filter(({ rule }) => rule === 'must'),
    services,
  );
  const holds = wanted.length > 0 ? '' : ', so that must-not holds';
  return [
    `no span of ${listNames(unknown)} is here, only of ${listNames(services)}${holds}: ` +
      (misspelt.length > 0
        ? misspelt.join('; ')
        : 'check the names (service.name) and whether the service exports'),
  ];
}

/** Expected edges without a whole call, if the reverse edge has whole calls. */
function hintAtReversed({ edges }: Result, expected: readonly ExpectedEdge[]): readonly string[] {
  const countWhole = (client: string, server: string): number =>
    edges
      .filter((edge) => isSameEdge(edge, { client, server }))
      .reduce((sum, { calls, broken }) => sum + calls - broken, 0);
  const isNamed = (client: string, server: string): boolean =>
    expected.some((edge) => isSameEdge(edge, { client, server }));
  return expected.flatMap(({ client, server, rule }) => {
    const whole = countWhole(server, client);
    if (rule !== 'must' || whole === 0 || countWhole(client, server) > 0 || isNamed(server, client))
      return [];
    return [
      `no call of ${client} -> ${server} is whole, but ${countOf(whole, 'call')} of ${server} -> ${client}: did you mean ${server} -> ${client}?`,
    ];
  });
}

/**
 * Expected services without spans whose name is close to another: `did you mean web instead of wbe?` @param names Names of the services
 * in the data.
 */
export function listMisspelt(
  names: Iterable<string | null>,
  { edges: expected }: Expectation,
): readonly string[] {
  return suggestNames(expected, listServices(names), isSlipOfOther);
}

function listUnknown(expected: readonly ExpectedEdge[], services: readonly string[]): readonly string[] {
  const named = expected
    .filter(({ rule }) => rule !== 'may')
    .flatMap(({ client, server }) => [client, server]);
  return [...new Set(named)].filter((service) => !services.includes(service));
}

/** Suggests other names. A name that the expectations use themselves means another service, and is not suggested. */
function suggestNames(
  expected: readonly ExpectedEdge[],
  services: readonly string[],
  isMeant: (name: string, others: readonly string[]) => boolean = () => true,
): readonly string[] {
  const others = listUnnamed(services, expected);
  return listUnknown(expected, services)
    .filter((name) => isMeant(name, others))
    .flatMap((name) => suggestOther(name, others) ?? []);
}

/** Tolerated peers without calls, if there are calls to a peer with a similar name. */
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

/** Services under `traceresponse` that have no spans, if another service has a similar name. */
function hintAtAnswering(
  { traceresponse, edges }: Expectation,
  services: readonly string[],
): readonly string[] {
  const others = listUnnamed(services, edges).filter((name) => !traceresponse.includes(name));
  return traceresponse.flatMap((name) => {
    const meant = services.includes(name) ? null : findMeant(name, others);
    return meant === null ? [] : [`no span of ${name}, under traceresponse, is here: did you mean ${meant}?`];
  });
}

/** Expected edges that the verdict leaves undecided. If the verdict is `unknown`, they are its reason and not repeated here. */
function hintAtUndecided({ verdict, undecided = [] }: Result): readonly string[] {
  return verdict === 'unknown' ? [] : undecided.map((each) => `not judged: ${describeUndecided(each)}`);
}

/**
 * Notes what `intact` does not cover: calls without a SERVER span, which are taken for calls to peers without spans, and calls without
 * any span.
 */
function hintAtUnseen(
  { findings, edges, unjudged = [] }: Result,
  services: readonly string[],
): readonly string[] {
  const isUncalled = isRequestOf(services);
  const [peers] = describePeers(
    findings,
    unjudged.filter((edge) => !isUncalled(edge) && !isMessage(edge) && !isWhole(edge) && !isUncovered(edge)),
  );
  if (peers !== undefined) {
    const isPeer = peers.includes(emitNone);
    return [isPeer ? `${peers}; if one of these peers is yours, name the edge with ${expectExample}` : peers];
  }
  if (unjudged.length > 0 || edges.some(({ client }) => client !== ownServiceName)) return [];
  return [
    `no call between services was seen, only spans of ${listNames(services)}; if one of them calls another service of ` +
      `yours, name the edge with ${expectExample}`,
  ];
}

/** The option that names the edge of a warning, which an expectation decides; otherwise an example. */
function findExample(findings: Result['findings']): string {
  const warned = findings.find(({ severity, client, server }) => severity === 'warning' && client && server);
  return warned === undefined
    ? expectExample
    : `--expect ${JSON.stringify(`${warned.client} -> ${warned.server}`)}`;
}

const expectExample = '--expect "CALLER -> CALLED"';

const emitNone = 'calls to peers that emit none';

/** @param said Calls that have a note of their own. */
function describePeers(findings: Result['findings'], said: readonly UnjudgedEdge[] = []): readonly string[] {
  const peers = findings.filter((finding) => finding.id === 'uninstrumented-peer');
  const saidOf = (isOfKnown: boolean): number =>
    sumOf(said.flatMap(({ calls, why }) => ((why !== undefined) === isOfKnown ? [calls] : [])));
  const countEnded = (how: keyof EndedCalls): number => sumOf(peers.map(({ ended }) => ended?.[how] ?? 0));
  const failed = countEnded('failed');
  const unavailable = countEnded('unavailable');
  const aborted = countEnded('aborted');
  const ofKnown = countEnded('answered');
  const others = sumOf(peers.map(({ count }) => count)) - failed - unavailable - aborted - ofKnown;
  const answered = Math.max(0, ofKnown - saidOf(true));
  // A cache may answer for a peer without whole calls: such calls count among the others.
  const unseen = Math.max(0, others - saidOf(false) - Math.max(0, saidOf(true) - ofKnown));
  const parts = [
    ...(unseen > 0 ? [`${unseen} ${unseen === 1 ? 'is' : 'are'} taken for ${emitNone}`] : []),
    ...(failed > 0 ? [`${failed} failed before an answer`] : []),
    ...(unavailable > 0
      ? [
          `${unavailable} ended with a status that a hop may have given, such as 503 (14 of gRPC: a hop or the caller's own library)`,
        ]
      : []),
    ...(aborted > 0 ? [`the caller ended ${aborted}`] : []),
    ...(answered > 0
      ? [
          `${answered} went to an address of which other calls are whole (a cache or a hop answered, or the SERVER span is lost)`,
        ]
      : []),
  ];
  const all = unseen + failed + unavailable + aborted + answered;
  if (all === 0) return [];
  return [`${all === 1 ? '1 call has' : `${all} calls have`} no SERVER span: ${parts.join(', ')}`];
}
