import { readCallFacts } from '../calls/call-facts.ts';
import { readPeerService } from '../calls/target.ts';
import type { Expectation } from '../expect/expectation.ts';
import type { Span } from '../span/span.ts';

/** Whether a CLIENT or PRODUCER span calls a peer that is expected to emit no spans, by host, host:port or service name. */
export function isToleratedPeer(expectation: Expectation, client: Span): boolean {
  return nameToleratedPeer(expectation, client) !== null;
}

/** The names of the tolerated peers, without the caller that an entry may name. */
export function listToleratedNames({ toleratedPeers }: Expectation): readonly string[] {
  return toleratedPeers.map((text) => readToleratedPeer(text).peer);
}

/**
 * The tolerated peer that a CLIENT or PRODUCER span calls, as the expectation writes it. Null for a service that the caller must call, if
 * it is called by its name.
 */
export function nameToleratedPeer({ toleratedPeers, edges }: Expectation, client: Span): string | null {
  if (toleratedPeers.length === 0) return null;
  const names = namePeer(client);
  const isExpected = edges.some(
    (edge) =>
      edge.rule === 'must' &&
      edge.client === client.serviceName &&
      names.some((name) => isSame(edge.server, name)),
  );
  if (isExpected) return null;
  const found = toleratedPeers.map(readToleratedPeer).find(({ caller, peer }) => {
    const isCaller = caller === null || isSame(caller, client.serviceName);
    return isCaller && names.some((name) => isSame(peer, name));
  });
  return found?.peer ?? null;
}

/** The names by which a CLIENT or PRODUCER span calls its peer: address, service, destination. */
export function namePeer(client: Span): readonly (string | null)[] {
  const { host, port, destination } = readCallFacts(client);
  return [
    host,
    host !== null && port !== null ? `${host}:${port}` : null,
    readPeerService(client),
    destination,
  ];
}

/**
 * Whether an edge is left out because one of its services is tolerated. Edges with a must or must-not rule are judged all the same. So are
 * calls made by a tolerated peer that emits spans, unless the expectation tolerates exactly this edge.
 *
 * @param hasSpans Whether the client emits spans.
 */
export function isToleratedEdge(
  { toleratedPeers, edges }: Expectation,
  { client, server }: Sides,
  hasSpans: boolean,
): boolean {
  const isJudged = edges.some(
    (edge) => edge.rule !== 'may' && edge.client === client && edge.server === server,
  );
  if (isJudged) return false;
  return toleratedPeers
    .map(readToleratedPeer)
    .some(({ caller, peer }) =>
      caller === null
        ? isSame(peer, server) || (!hasSpans && isSame(peer, client))
        : isSame(caller, client) && isSame(peer, server),
    );
}

interface Sides {
  readonly client: string | null;
  readonly server: string | null;
}

/** Reads `api.example.com`, or `web -> api.example.com`, which applies only to calls of web. */
function readToleratedPeer(text: string): { readonly caller: string | null; readonly peer: string } {
  const [peer = text, caller = null] = text
    .split('->')
    .map((part) => part.trim())
    .reverse();
  return { caller, peer };
}

function isSame(written: string, name: string | null): boolean {
  return written.toLowerCase() === name?.toLowerCase();
}
