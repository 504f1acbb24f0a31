import { readCallFacts, readText } from '../calls/call-facts.ts';
import type { Expectation } from '../expect/expectation.ts';
import type { Span } from '../span/span.ts';

/** Whether a CLIENT or PRODUCER span calls a peer that emits no spans, on purpose: by host, host:port, or service name. */
export function isToleratedPeer({ toleratedPeers }: Expectation, client: Span): boolean {
  if (toleratedPeers.length === 0) return false;
  const { host, port, destination } = readCallFacts(client);
  const peer = readText(client, 'service.peer.name', 'peer.service');
  const names = [host, host !== null && port !== null ? `${host}:${port}` : null, peer, destination].flatMap(
    (name) => name?.toLowerCase() ?? [],
  );
  return toleratedPeers.some((tolerated) => names.includes(tolerated.toLowerCase()));
}
