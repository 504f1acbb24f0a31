import { isHealthProbe, readCallFacts } from '../call-facts.ts';
import { isEntry, isOutgoing } from '../edge.ts';
import type { ExpectedEdge } from '../expectation.ts';
import type { FindingId } from '../finding.ts';
import { type Pair, pairSpans } from '../pair.ts';
import type { Span } from '../span.ts';
import { type Check, type Draft, edgeProtocol, listUnseenEdges } from './check.ts';

/**
 * An expected edge of which the caller shows nothing: no CLIENT span, and the called service began traces.
 * Without an expectation this cannot be told from direct callers, so nothing is said then.
 */
export const findMissingCalls: Check = (scene, open) =>
  listUnseenEdges(scene, open).flatMap((edge): readonly Draft[] => {
    const roots = open.roots.filter((span) => span.serviceName === edge.server && !isHealthProbe(span));
    const callers = scene.graph.spans.filter((span) => span.serviceName === edge.client);
    if (roots.length === 0) return [];
    const pairs = pairSpans(callers.filter(isEntry), roots, () => true);
    // Messages are read at any time later; requests while the caller's own request is open.
    const isQueued = roots.some((span) => span.kind === 'CONSUMER');
    if (!isQueued && pairs.length * 2 >= roots.length) return [describePairs(edge, pairs)];
    return callers.some(isOutgoing) ? [] : [describeRoots(edge, roots)];
  });

const candidates: readonly FindingId[] = [
  'client-not-instrumented',
  'server-not-instrumented',
  'header-not-sent',
  'not-sampled',
];

/** A request of the caller for each root, one to one: nothing but a client that makes no spans explains that. */
function describePairs(edge: ExpectedEdge, pairs: readonly Pair[]): Draft {
  const decided = pairs.every((pair) => pair.unique);
  return {
    id: decided ? 'client-not-instrumented' : 'missing-call',
    ...describeEdge(
      edge,
      pairs.map((pair) => pair.server),
    ),
    ...(decided ? {} : { candidates }),
    shown: pairs.map(({ client: request, server }) => ({
      client: null,
      server,
      says: `root, while "${request.name}" of ${edge.client} (trace ${request.traceId}) was open and has no CLIENT span`,
    })),
  };
}

function describeRoots(edge: ExpectedEdge, roots: readonly Span[]): Draft {
  return {
    id: 'missing-call',
    ...describeEdge(edge, roots),
    candidates,
    shown: roots.map((server) => ({
      client: null,
      server,
      says: `root, and ${edge.client} shows no CLIENT or PRODUCER span that could have caused it`,
    })),
  };
}

function describeEdge(
  edge: ExpectedEdge,
  servers: readonly Span[],
): Pick<Draft, 'severity' | 'client' | 'server' | 'protocol'> {
  const protocol = servers[0] === undefined ? 'http' : edgeProtocol(readCallFacts(servers[0]).protocol);
  return { severity: 'error', client: edge.client, server: edge.server, protocol };
}
