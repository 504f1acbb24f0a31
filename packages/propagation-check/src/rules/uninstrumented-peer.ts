import { readCallFacts } from '../calls/call-facts.ts';
import { groupBy, keyFor } from '../util/group-by.ts';
import { type Check, edgeProtocol } from './check.ts';

/** What is left of the CLIENT spans: calls to peers that emit no spans. Healthy, and good to know. */
export const findUninstrumentedPeers: Check = (_scene, open) => {
  const clients = open.clients.filter((span) => span.kind === 'CLIENT');
  const groups = groupBy(clients, (span) =>
    keyFor(span.serviceName, readCallFacts(span).host, readCallFacts(span).port),
  );
  return groups.flatMap((group) => {
    const first = group[0];
    if (first === undefined) return [];
    const { host, port, protocol } = readCallFacts(first);
    const peer = host === null ? 'a peer without name' : port === null ? host : `${host}:${port}`;
    return [
      {
        id: 'uninstrumented-peer' as const,
        severity: 'info' as const,
        client: first.serviceName,
        server: null,
        protocol: edgeProtocol(protocol),
        shown: group.map((client) => ({
          client,
          server: null,
          says: `CLIENT span to ${peer} without a SERVER span`,
        })),
      },
    ];
  });
};
