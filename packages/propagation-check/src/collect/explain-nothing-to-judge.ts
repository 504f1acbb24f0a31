import { ownServiceName } from '../calls/own-service.ts';
import type { Expectation } from '../expect/expectation.ts';
import { isUnnamed } from '../rules/expected-calls.ts';
import { countOf } from '../util/count-of.ts';
import { listNames } from '../util/list-names.ts';
import { leavesOpen } from '../verdict/leaves-open.ts';
import type { Result, Undecided, UnjudgedEdge } from '../verdict/result.ts';
import { describePeers, expectExample } from './describe-peers.ts';
import { hintAtLikelyCalls, hintAtUnjudged, isCallOf } from './hint-at-unjudged.ts';

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

/** The option that names the edge of a warning, which an expectation decides; otherwise an example. */
function findExample(findings: Result['findings']): string {
  const warned = findings.find(({ severity, client, server }) => severity === 'warning' && client && server);
  return warned === undefined
    ? expectExample
    : `--expect ${JSON.stringify(`${warned.client} -> ${warned.server}`)}`;
}

/** The reason of an undecided edge, with its name if it has one. */
export function describeUndecided({ client, server, says }: Undecided): string {
  return client === null || server === null ? says : `${client} -> ${server}: ${says}`;
}

/** The named services of the data without this tool itself. */
export function listServices(names: Iterable<string | null>): readonly string[] {
  return [...new Set(names)]
    .filter((service) => service !== null)
    .filter((service) => service !== ownServiceName);
}
