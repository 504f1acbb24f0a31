import { readCallFacts } from '../calls/call-facts.ts';
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
      const orphans = open.orphans.filter(
        (span) =>
          isEntry(span) &&
          isCallerMissing(scene.graph, span) &&
          span.serviceName === edge.server &&
          comesFrom(scene, edge, span),
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

function comesFrom(scene: Scene, edge: ExpectedEdge, server: Span): boolean {
  const whole = scene.callsBetween(edge.client, edge.server).map((call) => call.server);
  if (whole.length === 0) return true;
  const agents = new Set(whole.map((span) => readCallFacts(span).userAgent));
  const agent = readCallFacts(server).userAgent;
  return (
    agent !== null &&
    agents.size === 1 &&
    agents.has(agent) &&
    whole.some((span) => span.name === server.name)
  );
}
