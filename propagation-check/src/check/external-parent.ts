import { readCallFacts } from '../call-facts.ts';
import { isEntry } from '../edge.ts';
import { groupBy, keyFor } from '../group-by.ts';
import { isCallerMissing } from '../trace-graph.ts';
import { type Check, edgeProtocol } from './check.ts';

/** Entry spans that continue a trace of somebody outside the data. Healthy, and good to know. */
export const findExternalParents: Check = (scene, open) =>
  groupBy(
    open.orphans.filter((span) => isEntry(span) && isCallerMissing(scene.graph, span)),
    (span) => keyFor(span.serviceName),
  ).flatMap((group) => {
    const first = group[0];
    if (first === undefined) return [];
    return [
      {
        id: 'external-parent' as const,
        severity: 'info' as const,
        client: null,
        server: first.serviceName,
        protocol: edgeProtocol(readCallFacts(first).protocol),
        shown: group.map((server) => ({
          client: null,
          server,
          says: `continues a trace whose parent ${server.parentSpanId} is outside the data`,
        })),
      },
    ];
  });
