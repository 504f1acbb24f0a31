import { ownServiceName } from '../calls/own-service.ts';
import { isSameEdge } from '../calls/same-edge.ts';
import type { Expectation, ExpectedEdge } from '../expect/expectation.ts';
import { findMeant, isSlipOfOther, listUnnamed, suggestOther } from '../rules/misspelt-service.ts';
import { listToleratedNames } from '../rules/tolerated-peer.ts';
import { countOf } from '../util/count-of.ts';
import { listNames } from '../util/list-names.ts';
import { suggestName } from '../util/suggest-name.ts';
import type { Result } from '../verdict/result.ts';
import { describePeers, emitNone, expectExample } from './describe-peers.ts';
import { describeUndecided, listServices } from './explain-nothing-to-judge.ts';
import { hintAtUnjudged, isMessage, isRequestOf, isUncovered, isWhole } from './hint-at-unjudged.ts';

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
  return [...new Set(named)].filter((service) => service !== ownServiceName && !services.includes(service));
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
