import type { Expectation } from '../expect/expectation.ts';
import { protocolOf } from '../rules/draft.ts';
import type { Scene } from '../rules/scene.ts';
import { isToleratedEdge, nameToleratedPeer } from '../rules/tolerated-peer.ts';
import type { Span } from '../span/span.ts';
import { groupBy } from '../util/group-by.ts';
import { sumOf } from '../util/statistics.ts';
import { type EdgeResult, nameEdge, type Result } from './result.ts';

type Judged = Pick<Result, 'edges' | 'findings'>;

/**
 * Marks edges and findings with a tolerated peer as a side, and adds an edge for calls to tolerated peers, which have no spans.
 *
 * @param services The services that have spans.
 * @param clients Calls whose other side is missing.
 */
export function tolerate(
  { edges, findings }: Judged,
  expectation: Expectation,
  services: Pick<Scene['services'], 'has'>,
  clients: readonly Span[],
): Judged {
  if (expectation.toleratedPeers.length === 0) return { edges, findings };
  const isTolerated = ({ client, server }: Pick<EdgeResult, 'client' | 'server'>): boolean =>
    isToleratedEdge(expectation, { client, server }, client !== null && services.has(client));
  const calls = clients.flatMap((span): readonly EdgeResult[] => {
    const server = nameToleratedPeer(expectation, span);
    if (server === null) return [];
    const client = span.serviceName;
    return [{ client, server, protocol: protocolOf(span), calls: 1, broken: 0, tolerated: true }];
  });
  const marked = edges.map((edge) => (isTolerated(edge) ? { ...edge, tolerated: true as const } : edge));
  return {
    edges: [...marked.filter((edge) => edge.tolerated !== true), ...mergeEdges([...marked, ...calls])],
    findings: findings.map((finding) => (isTolerated(finding) ? { ...finding, tolerated: true } : finding)),
  };
}

/** The tolerated edges, each once. Calls without an answer, which have no other counts, are added to the edge of their peer. */
function mergeEdges(edges: readonly EdgeResult[]): readonly EdgeResult[] {
  const tolerated = edges.filter((edge) => edge.tolerated === true);
  return groupBy(tolerated, nameEdge).map((same) => ({
    ...same[0],
    calls: sumOf(same.map(({ calls }) => calls)),
  }));
}
