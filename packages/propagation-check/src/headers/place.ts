import { readCallFacts } from '../calls/call-facts.ts';
import type { Span } from '../span/span.ts';
import type { WireRecord } from './evidence.ts';
import { isLoopbackAddress, joinAddress } from './socket-address.ts';

/** One side of a call: its span, or the service that a finding names if it has no span. */
export interface CallSide {
  readonly span: Span | null;
  readonly service: string | null;
}

/**
 * Whether the caller's connection ends at this tap, by the peer address on its CLIENT span or by the tap's configured client. A record is
 * of one place: what is between the tap and a service is otherwise unknown.
 */
export function isCalledBy(record: WireRecord, { span, service }: CallSide): boolean {
  if (span !== null && isEndOf(record, record.calledAt, span)) return true;
  return record.client !== null && record.client === service && !isElsewhere(record, record.calledAt, span);
}

/** Whether the tap's connection ends at the callee, by the peer address on its SERVER span or by the tap's configured server. */
export function isInFrontOf(record: WireRecord, { span, service }: CallSide): boolean {
  if (span !== null && (isEndOf(record, record.callsFrom, span) || isOfCapture(record, span))) return true;
  return record.server !== null && record.server === service && !isElsewhere(record, record.callsFrom, span);
}

/**
 * Whether the request of a SERVER span came through this connection of a packet capture, which names no machine. The caller's port is
 * enough: it belonged to this connection alone, even if its address is a loopback address.
 */
function isOfCapture({ host, callsFrom }: WireRecord, span: Span): boolean {
  return host === null && callsFrom !== null && readConnectionPeers(span).includes(callsFrom);
}

/** The machine of a packet capture of loopback traffic; null if the span does not name it. */
export function findHost(record: WireRecord, server: Span | null): string | null {
  const isLocal = record.callsFrom !== null && isLoopbackAddress(record.callsFrom);
  return server !== null && isLocal && isOfCapture(record, server) ? (listHosts(server)[0] ?? null) : null;
}

/**
 * Whether the span names another connection on the tap's own machine: then the tap's configured service is wrong. Between machines,
 * addresses may be translated, so that the two ends of one connection differ.
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

/** Whether a span can prove, without the tap's configuration, that a tap was directly in front of it. */
export function namesItsConnection(span: Span): boolean {
  return readConnectionPeers(span).some(
    (address) => !isLoopbackAddress(address) || listHosts(span).length > 0,
  );
}

/** Loopback addresses are the same on every machine, so they identify a connection only if both ends are known to be on one machine. */
function isEndOf(record: WireRecord, address: string | null, span: Span): boolean {
  if (address === null || !readPeerAddresses(span).includes(address)) return false;
  return !isLoopbackAddress(address) || isSameHost(record, span);
}

/** A pod's name is the host name of its containers (semantic conventions, resources). */
function isSameHost({ host }: WireRecord, span: Span): boolean {
  return host !== null && listHosts(span).includes(host.toLowerCase());
}

function listHosts({ resource }: Span): readonly string[] {
  return ['host.name', 'k8s.pod.name'].flatMap(
    (name) => String(resource.get(name) ?? '').toLowerCase() || [],
  );
}

/** Attributes for the peer of a connection, in every generation of the semantic conventions. */
const peerAttributes = [
  ['network.peer.address', 'network.peer.port'],
  ['net.sock.peer.addr', 'net.sock.peer.port'],
  ['net.peer.ip', 'net.peer.port'],
] as const;

/** The peers of the connection, where the span names both address and port. */
export function readConnectionPeers(span: Span): readonly string[] {
  return peerAttributes.flatMap(([address, port]) =>
    join(span.attributes.get(address), span.attributes.get(port)),
  );
}

export function readPeerAddresses(span: Span): readonly string[] {
  const peers = readConnectionPeers(span);
  // Prefer the peer of the connection: behind a forward proxy, the URL has another address.
  if (span.kind !== 'CLIENT' || peers.length > 0) return peers;
  // Otherwise the called address. A host name proves nothing: it may be a gateway's.
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
