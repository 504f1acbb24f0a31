import { type Call, type CallGroup, viewCalls } from '../calls/call-group.ts';
import { isOutgoing } from '../calls/edge.ts';
import type { Expectation, ExpectedEdge } from '../expect/expectation.ts';
import { type Group, keyFor } from '../util/group-by.ts';
import { defineFinding } from './define-finding.ts';
import { groupByEdge, reportCalls } from './report-calls.ts';
import { rule } from './rule.ts';

export const finding = defineFinding('unexpected-edge', {
  kind: 'cause',
  isConclusive: true,
  shows: 'a call exists between two services that the expectations forbid',
  title: 'A call that is not expected',
  why: 'The expectations forbid calls between these two services, and there are some.',
  fix: 'Remove the call, or allow the edge in the expectations.',
});

/** Whole calls of an edge that an expectation forbids. */
export const unexpectedEdges = rule<Group<Call>>({
  finding,
  measure: ({ graph, groups, expectation }) => {
    const forbidden = new Set(listForbidden(expectation).map(({ client, server }) => keyFor(client, server)));
    const isForbidden = ({ client, server }: CallGroup): boolean => forbidden.has(keyFor(client, server));
    return groupByEdge(viewCalls(graph, groups.filter(isForbidden)));
  },
  report: (calls) =>
    reportCalls(
      finding,
      calls,
      ({ client, server }) =>
        `${client.kind} ${client.spanId} "${client.name}" calls ${server.serviceName}, which the expectations forbid`,
    ),
  whyNot: ({ expectation }, _, looseEnd) => {
    if (!isOutgoing(looseEnd)) return null;
    const servers = listForbidden(expectation)
      .filter(({ client }) => client === looseEnd.serviceName)
      .map(({ server }) => server);
    return servers.length === 0 ? null : `nothing shows that it calls ${servers.join(' or ')}`;
  },
});

function listForbidden({ edges }: Expectation): readonly ExpectedEdge[] {
  return edges.filter((edge) => edge.rule === 'must-not');
}
