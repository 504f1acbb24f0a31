import { joinAddress } from '../headers/socket-address.ts';
import type { Packet } from './read-packets.ts';

/** One TCP segment. Addresses have the form of `joinAddress`. */
export interface Segment {
  readonly time: number;
  readonly from: string;
  readonly to: string;
  /** The number of the first byte of `payload`, or of the SYN. */
  readonly sequence: number;
  /** The number of the next byte that the sender expects. */
  readonly acknowledged: number;
  readonly isSyn: boolean;
  readonly isEnd: boolean;
  readonly payload: Buffer;
}

/** The number of bytes before the IP packet, by link type. Ethernet is measured. */
const linkHeaders = new Map<number, number>([
  [0, 4], // NULL: BSD loopback
  [12, 0], // RAW
  [14, 0],
  [101, 0],
  [108, 4], // LOOP: OpenBSD loopback
  [113, 16], // LINUX_SLL: `tcpdump -i any`
  [228, 0], // IPV4
  [229, 0], // IPV6
  [276, 20], // LINUX_SLL2: `tcpdump -i any` since 4.99
]);
const ethernet = 1;
const vlanTags = [0x8100, 0x88a8];
const tcp = 6;
/** IPv6 extension headers with the same length field: hop-by-hop, routing, destination options. */
const extensions = [0, 43, 60];

/** Whether packets of this link type can be read. */
export function isKnownLinkType(linkType: number): boolean {
  return linkType === ethernet || linkHeaders.has(linkType);
}

/** The TCP segment of a packet; null if it has none, or not the whole header of one. */
export function readSegment({ time, linkType, bytes }: Packet): Segment | null {
  try {
    return readIp(
      time,
      bytes.subarray(linkType === ethernet ? measureEthernet(bytes) : (linkHeaders.get(linkType) ?? 0)),
    );
  } catch (error) {
    // The capture cut the packet within its headers.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function measureEthernet(bytes: Buffer): number {
  let at = 12;
  while (vlanTags.includes(bytes.readUInt16BE(at))) at += 4;
  return at + 2;
}

function readIp(time: number, bytes: Buffer): Segment | null {
  const version = bytes.readUInt8(0) >> 4;
  if (version === 4) {
    const isFragment = (bytes.readUInt16BE(6) & 0x1fff) !== 0;
    if (bytes.readUInt8(9) !== tcp || isFragment) return null;
    const addresses = [12, 16].map((at) => bytes.subarray(at, at + 4).join('.'));
    // The length is zero where the network card splits the packet (segmentation offload).
    const total = bytes.readUInt16BE(2) || bytes.length;
    return readTcp(time, addresses, bytes.subarray((bytes.readUInt8(0) & 15) * 4, total));
  }
  if (version !== 6) return null;
  const addresses = [8, 24].map((at) => formatIpv6(bytes.subarray(at, at + 16)));
  let next = bytes.readUInt8(6);
  let at = 40;
  while (extensions.includes(next)) {
    next = bytes.readUInt8(at);
    at += (bytes.readUInt8(at + 1) + 1) * 8;
  }
  const end = bytes.readUInt16BE(4) === 0 ? bytes.length : 40 + bytes.readUInt16BE(4);
  return next === tcp ? readTcp(time, addresses, bytes.subarray(at, end)) : null;
}

function readTcp(time: number, addresses: readonly string[], bytes: Buffer): Segment {
  const [from = '', to = ''] = addresses;
  const flags = bytes.readUInt8(13);
  return {
    time,
    from: joinAddress(from, bytes.readUInt16BE(0)),
    to: joinAddress(to, bytes.readUInt16BE(2)),
    sequence: bytes.readUInt32BE(4),
    acknowledged: bytes.readUInt32BE(8),
    isSyn: (flags & 2) !== 0,
    isEnd: (flags & 5) !== 0,
    payload: bytes.subarray((bytes.readUInt8(12) >> 4) * 4),
  };
}

/** In the form of the URL parser: the shortest, in lower case. */
function formatIpv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  const text = new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(text);
  return mapped === null ? text : bytes.subarray(12, 16).join('.');
}
