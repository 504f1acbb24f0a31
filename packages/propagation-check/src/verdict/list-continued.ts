import type { ExpectedEdge } from '../expect/expectation.ts';
import type { Draft } from '../rules/draft.ts';
import { hasCall } from '../rules/expected-calls.ts';
import type { Scene } from '../rules/scene.ts';
import type { Span } from '../span/span.ts';
import { keyFor } from '../util/group-by.ts';
import { hasOtherCallers } from './list-possible-calls.ts';
import { countCalls } from './list-unjudged.ts';
import { nameRows } from './name-rows.ts';
import type { DescribedCalls } from './open-calls.ts';

/**
 * Requests to endpoints that whole calls of one expected edge reach, which continue traces whose caller has no spans here: spans of the
 * expected caller may be lost.
 */
export function listContinued(scene: Scene, drafts: readonly Draft[]): readonly DescribedCalls[] {
  const edges = scene.expectation.edges.filter(
    ({ client, server, rule }) => rule === 'must' && hasCall(scene, client, server),
  );
  return edges.flatMap((edge) =>
    listContinuedOf(
      scene,
      drafts,
      edge,
      edges.filter(({ client, server }) => server === edge.server && client !== edge.client),
    ),
  );
}

/** @param others Other expected edges to the same callee, to which the requests may belong. */
function listContinuedOf(
  scene: Scene,
  drafts: readonly Draft[],
  edge: ExpectedEdge,
  others: readonly ExpectedEdge[],
): readonly DescribedCalls[] {
  const { client, server } = edge;
  const continued = drafts.flatMap((draft) =>
    draft.id === 'external-parent' && draft.server === server
      ? draft.shown.flatMap((one) => one.server ?? [])
      : [],
  );
  if (continued.length < scene.thresholds.fewestContinued || hasOtherCallers(scene, edge)) return [];
  const isOfOthers = others.map((other) => prepareAlike(scene, other));
  const spans = continued
    .filter(prepareAlike(scene, edge))
    .filter((request) => !isOfOthers.some((isAlike) => isAlike(request)));
  const [first] = spans;
  if (first === undefined || spans.length < scene.thresholds.fewestContinued) return [];
  const calls = countCalls(scene, spans);
  return [
    {
      ...{ client, server, calls, spans },
      says:
        `${calls} requests of ${server} continue traces of which no span of a caller is here (trace ${first.traceId}): ` +
        `see that each instance of ${client} exports all spans that it samples; if another program makes them, list "outside -> ${server}" under edges: may in --expectations`,
    },
  ];
}

/** Whether a request is to an endpoint that whole calls of the edge reach, from the same user agent. */
function prepareAlike(scene: Scene, { client, server }: ExpectedEdge): (request: Span) => boolean {
  const { graph, facts } = scene;
  const nameEndpoint = nameRows(scene);
  const called = scene.groupsBetween(client, server).flatMap(({ servers }) => [...servers]);
  const kinds = new Set(called.map((row) => keyFor(nameEndpoint(row), facts.userAgentOf(row))));
  return (request) => {
    const row = graph.rowOf(request);
    return graph.isOrphan(row) && kinds.has(keyFor(nameEndpoint(row), facts.userAgentOf(row)));
  };
}
