import { readCallFacts } from '../calls/call-facts.ts';
import { type Pair, pairSpans } from '../pairing/pair-spans.ts';
import type { Span } from '../span/span.ts';
import { groupBy } from '../util/group-by.ts';
import type { Scene } from './scene.ts';
import { whyApart } from './why-apart.ts';

/**
 * One instrumentation sends one user agent, so pairs with another user agent are callers from outside. A few are left out. If there are
 * more, their calls are paired with free roots of the usual user agent instead, provided that every such call fits one.
 * @param freeRoots Roots in no pair. Roots that are used are removed.
 */
export function withoutOtherAgents(
  scene: Scene,
  pairs: readonly Pair[],
  freeRoots: () => Set<Span>,
): readonly Pair[] {
  const { thresholds } = scene;
  return groupBy(pairs, (pair) => pair.client.scopeName).flatMap((ofScope) => {
    const ofAgents = groupBy(ofScope, ({ server }) => readAgent(server));
    const usual = ofAgents.reduce((one, other) => (other.length > one.length ? other : one));
    if (usual.length >= ofScope.length * thresholds.usualAgentShare) return usual;
    const [{ server }] = usual;
    const free = [...freeRoots()].filter(
      (root) => root.serviceName === server.serviceName && readAgent(root) === readAgent(server),
    );
    const clients = ofAgents.flatMap((ofAgent) =>
      ofAgent === usual ? [] : ofAgent.map(({ client }) => client),
    );
    const fits = (client: Span, root: Span): boolean => whyApart(scene, client, root) === null;
    const replaced = pairSpans(clients, free, fits, thresholds);
    if (replaced.length < clients.length) return ofScope;
    for (const { server: used } of replaced) freeRoots().delete(used);
    return [...usual, ...replaced];
  });
}

function readAgent(request: Span): string {
  return readCallFacts(request).userAgent ?? '';
}
