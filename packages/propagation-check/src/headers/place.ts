import { readCallFacts } from '../calls/call-facts.ts';
import type { Span } from '../span/span.ts';
import type { WireRecord } from './evidence.ts';
import { isLoopbackAddress, joinAddress } from './socket-address.ts';

/** One side of a call: its span, or where there is none the service that it is said to be of. */
export interface CallSide {
  readonly span: Span | null;
  readonly service: string | null;
}

/**
 * Whether the caller's connection ends at this tap, by the address that its CLIENT span names, or by the word of whoever placed the
 * tap. A record is of one place: what stands between it and either service is unknown otherwise.
 */
export function isCalledBy(record: WireRecord, { span, service }: CallSide): boolean {
  if (span !== null && isEndOf(record, record.calledAt, span)) return true;
  return record.client !== null && record.client === service && !isElsewhere(record, record.calledAt, span);
}

/** Whether the tap's connection ends at the called service, by the address of the peer that its SERVER span names. */
export function isInFrontOf(record: WireRecord, { span, service }: CallSide): boolean {
  if (span !== null && (isEndOf(record, record.callsFrom, span) || isOfCapture(record, span))) return true;
  return record.server !== null && record.server === service && !isElsewhere(record, record.callsFrom, span);
}

/**
 * Whether the request of a SERVER span came by this connection of a capture of packets, which names no machine: the port of the caller's end
 * was free for this connection alone, also where its address is one that every machine has.
 */
function isOfCapture({ host, callsFrom }: WireRecord, span: Span): boolean {
  return host === null && callsFrom !== null && readConnectionPeers(span).includes(callsFrom);
}

/** The machine of a capture of packets, where a request went over its loopback; null where nothing says it. */
export function findHost(record: WireRecord, server: Span | null): string | null {
  const isLocal = record.callsFrom !== null && isLoopbackAddress(record.callsFrom);
  return server !== null && isLocal && isOfCapture(record, server) ? (listHosts(server)[0] ?? null) : null;
}

/**
 * Whether the span names another connection of the tap's own machine: then the word of whoever placed the tap is wrong. Between
 * machines addresses are translated, and differ for connections that are the same.
 */
function isElsewhere(record: WireRecord, address: string | null, span: Span | null): boolean {
  if (span === null || address === null || !isSameHost(record, span)) return false;
  const peers = readConnectionPeers(span);
  return (
    peers.length > 0 &&
    isLoopbackAddress(address) &&
    peers.every(isLoopbackAddress) &&
    !peers.includes(address)
  );
}

/** Whether a span can prove that a tap was directly in front of it, without anybody's word. */
export function namesItsConnection(span: Span): boolean {
  return readConnectionPeers(span).some(
    (address) => !isLoopbackAddress(address) || listHosts(span).length > 0,
  );
}

/** Loopback addresses are the same on every machine, so they say something only where both are on one. */
function isEndOf(record: WireRecord, address: string | null, span: Span): boolean {
  if (address === null || !readPeerAddresses(span).includes(address)) return false;
  return !isLoopbackAddress(address) || isSameHost(record, span);
}

/** The pod's name is the host name of its containers (semantic conventions, resources). */
function isSameHost({ host }: WireRecord, span: Span): boolean {
  return host !== null && listHosts(span).includes(host.toLowerCase());
}

function listHosts({ resource }: Span): readonly string[] {
  return ['host.name', 'k8s.pod.name'].flatMap(
    (name) => String(resource.get(name) ?? '').toLowerCase() || [],
  );
}

/** Attributes for the other end of a connection, in the names of every generation of the semantic conventions. */
const peerAttributes = [
  ['network.peer.address', 'network.peer.port'],
  ['net.sock.peer.addr', 'net.sock.peer.port'],
  ['net.peer.ip', 'net.peer.port'],
] as const;

/** The other end of the connection, where the span names its address and port. */
export function readConnectionPeers(span: Span): readonly string[] {
  return peerAttributes.flatMap(([address, port]) =>
    join(span.attributes.get(address), span.attributes.get(port)),
  );
}

export function readPeerAddresses(span: Span): readonly string[] {
  const peers = readConnectionPeers(span);
  // The peer of the connection comes first: behind a forward proxy, the address in the URL is another.
  if (span.kind !== 'CLIENT' || peers.length > 0) return peers;
  // The address that was called. A name says nothing: it may be the gateway's.
  const { host, port } = readCallFacts(span);
  if (host === null || port === null) return peers;
  const plain = host.replace(/^\[|\]$/g, '');
  return [
    ...peers,
    ...(plain === 'localhost' ? ['127.0.0.1', '::1'] : [plain]).map((one) => joinAddress(one, port)),
  ];
}

function join(address: unknown, port: unknown): readonly string[] {
  return typeof address === 'string' && Number(port) > 0 ? [joinAddress(address, Number(port))] : [];
}
