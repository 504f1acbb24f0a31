import { readCallFacts } from '../calls/call-facts.ts';
import type { CallGroup } from '../calls/call-group.ts';
import { isEntry } from '../calls/edge.ts';
import { type ExpectedEdge, isExpected } from '../expect/expectation.ts';
import { isCallerMissing } from '../graph/trace-graph.ts';
import type { Span } from '../span/span.ts';
import { type Check, type Draft, edgeProtocol, isParentDue, nameParent, type Scene } from './check.ts';
import { finding as missingClient } from './missing-client.ts';

/**
 * SERVER spans in traces of their own whose parent is nowhere, when the caller is expected: its spans are missing as
 * a whole. A caller outside of the data looks the same, so this speaks only where the expected caller shows no
 * call at all, or where the requests are exactly like those that it does show.
 */
export const findMissingCallers: Check = (scene, open) =>
  scene.expectation.edges
    .filter((edge) => isExpected(scene.expectation, edge.client, edge.server))
    .flatMap((edge): readonly Draft[] => {
      const isExplained = open.found.some(
        (draft) => draft.severity === 'error' && draft.client === edge.client && draft.server === edge.server,
      );
      if (isExplained) return [];
      const isOfTheirKind = rememberKind(scene, edge);
      const orphans = open.orphans.filter(
        (span) =>
          isEntry(span) &&
          isCallerMissing(scene.graph, span) &&
          span.serviceName === edge.server &&
          isOfTheirKind(span),
      );
      const first = orphans[0];
      if (first === undefined || !orphans.some((span) => isParentDue(scene, span))) return [];
      return [
        missingClient.report({
          client: edge.client,
          server: edge.server,
          protocol: edgeProtocol(readCallFacts(first).protocol),
          candidates: ['client-span-lost', 'not-sampled', 'header-rewritten', 'external-parent'],
          shown: orphans.map((server) => ({
            client: null,
            server,
            says: `${nameParent(server)} is nowhere in the data, nor is any other span of its caller in this trace`,
          })),
        }),
      ];
    });

/** Whether a request is like the whole calls of the edge: sent by the same program, and for something that it asks for. */
function rememberKind(scene: Scene, edge: ExpectedEdge): (server: Span) => boolean {
  const whole = scene.groupsBetween(edge.client, edge.server);
  if (whole.length === 0) return () => true;
  let known: ReturnType<typeof describeServers> | null = null;
  return (server) => {
    known ??= describeServers(scene, whole);
    const agent = readCallFacts(server).userAgent;
    return (
      agent !== null && known.agents.size === 1 && known.agents.has(agent) && known.names.has(server.name)
    );
  };
}

function describeServers({ facts }: Scene, groups: readonly CallGroup[]) {
  const [agents, names] = [new Set<string | null>(), new Set<string>()];
  for (const { servers } of groups) {
    for (const row of servers) {
      agents.add(facts.userAgentOf(row));
      names.add(facts.nameOf(row));
    }
  }
  return { agents, names };
}
