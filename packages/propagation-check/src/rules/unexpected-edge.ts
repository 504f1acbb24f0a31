import { viewCalls } from '../calls/call-group.ts';
import { keyFor } from '../util/group-by.ts';
import type { Check } from './check.ts';
import { defineFinding } from './define-finding.ts';
import { reportCalls } from './report-calls.ts';

export const finding = defineFinding('unexpected-edge', {
  kind: 'cause',
  isConclusive: true,
  shows: 'a call exists between two services that the expectations forbid',
  title: 'A call that is not expected',
  why: 'The expectations forbid calls between these two services, and there are some.',
  fix: 'Remove the call, or allow the edge in the expectations.',
});

/** An edge that an expectation forbids, and that is there. */
export const findUnexpectedEdges: Check = (scene) => {
  const forbidden = new Set(
    scene.expectation.edges
      .filter((edge) => edge.rule === 'must-not')
      .map((edge) => keyFor(edge.client, edge.server)),
  );
  const calls = viewCalls(
    scene.graph,
    scene.groups.filter(({ client, server }) => forbidden.has(keyFor(client, server))),
  );
  return reportCalls(
    finding,
    calls,
    ({ client, server }) =>
      `${client.kind} ${client.spanId} "${client.name}" calls ${server.serviceName}, which the expectations forbid`,
  );
};
