export interface Packet {
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  /** The link layer of `bytes`. Source: tcpdump.org, "Link-layer header types". */
  readonly linkType: number;
  /** The captured bytes; fewer than the packet had if the capture had a snapshot length. */
  readonly bytes: Buffer;
  /** The packet's length on the wire. */
  readonly length: number;
}

export interface PacketFile {
  readonly packets: readonly Packet[];
  /** Whether the file ends within a packet. */
  readonly isTruncated: boolean;
}

/** The file has neither format or is damaged. The message completes a sentence that begins with the file name. */
export class PacketFileError extends Error {
  override readonly name = 'PacketFileError';
}

const pcapMagics = new Map([
  [0xa1b2c3d4, 1e3],
  [0xa1b23c4d, 1e6],
]);
const pcapngMagic = 0x0a0d0d0a;
const byteOrderMagic = 0x1a2b3c4d;

/** Milliseconds. Source: ECMAScript, "Time Values and Time Range". */
const latestTime = 8.64e15;

/** No network has larger packets: the file is damaged. Source: libpcap, `MAXIMUM_SNAPLEN`. */
const largestPacket = 262_144;

/** Whether the bytes begin like a file of tcpdump or Wireshark. */
export function isPacketFile(bytes: Buffer): boolean {
  if (bytes.length < 4) return false;
  const magics = [bytes.readUInt32LE(0), bytes.readUInt32BE(0)];
  return magics.some((magic) => magic === pcapngMagic || pcapMagics.has(magic));
}

/**
 * Reads a whole file. Sources: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.
 * @throws {PacketFileError}
 */
export function readPackets(bytes: Buffer): PacketFile {
  return bytes.readUInt32BE(0) === pcapngMagic ? readPcapng(bytes) : readPcap(bytes);
}

function readPcap(bytes: Buffer): PacketFile {
  const isLittle = pcapMagics.has(bytes.readUInt32LE(0));
  const { u32 } = orderOf(bytes, isLittle);
  const perMillisecond = pcapMagics.get(u32(0)) ?? 1e3;
  const packets: Packet[] = [];
  let at = 24;
  if (bytes.length < at) return { packets, isTruncated: true };
  // The upper bits say whether packets end with a checksum.
  const linkType = u32(20) & 0xffff;
  while (at + 16 <= bytes.length) {
    const [captured, length] = [u32(at + 8), u32(at + 12)];
    if (captured > largestPacket)
      throw new PacketFileError(`damaged at byte ${at}: a packet of ${captured} bytes`);
    const end = at + 16 + captured;
    if (end > bytes.length) return { packets, isTruncated: true };
    const time = u32(at) * 1e3 + u32(at + 4) / perMillisecond;
    packets.push({ time, linkType, bytes: bytes.subarray(at + 16, end), length });
    at = end;
  }
  return { packets, isTruncated: at !== bytes.length };
}

interface Interface {
  readonly linkType: number;
  /** Time stamp units in a millisecond. */
  readonly perMillisecond: number;
}

const blocks = { interface: 1, simple: 3, enhanced: 6 } as const;
/**
 * Bytes of a block without content: any block, an interface description, an enhanced packet. Source: draft-ietf-opsawg-pcapng, 3.1, 4.2,
 * 4.3.
 */
const emptyBlock = { any: 12, interface: 20, enhanced: 32 } as const;

function readPcapng(bytes: Buffer): PacketFile {
  const packets: Packet[] = [];
  let interfaces: Interface[] = [];
  let order = orderOf(bytes, true);
  let at = 0;
  while (at + emptyBlock.any <= bytes.length) {
    const isSection = bytes.readUInt32BE(at) === pcapngMagic;
    if (isSection) {
      // Each section has its own byte order and interfaces.
      order = orderOf(bytes, bytes.readUInt32LE(at + 8) === byteOrderMagic);
      if (order.u32(at + 8) !== byteOrderMagic)
        throw new PacketFileError(`damaged at byte ${at}: a section without its magic number`);
      interfaces = [];
    }
    const { u32 } = order;
    const size = u32(at + 4);
    if (size < emptyBlock.any || size % 4 !== 0)
      throw new PacketFileError(`damaged at byte ${at}: a block of ${size} bytes`);
    if (at + size > bytes.length) return { packets, isTruncated: true };
    const type = isSection ? null : u32(at);
    if (type === blocks.interface && size >= emptyBlock.interface)
      interfaces.push(readInterface(order, at + 8, at + size - 4));
    else if (type === blocks.enhanced) {
      const isWhole = size >= emptyBlock.enhanced;
      const from = isWhole ? interfaces[u32(at + 8)] : undefined;
      const captured = isWhole ? u32(at + 20) : 0;
      if (from === undefined || captured > size - emptyBlock.enhanced)
        throw new PacketFileError(`damaged at byte ${at}: a packet that does not fit its block`);
      const units = u32(at + 12) * 2 ** 32 + u32(at + 16);
      const time = units / from.perMillisecond;
      if (time > latestTime) throw new PacketFileError(`damaged at byte ${at}: a time that no calendar has`);
      packets.push({
        time,
        linkType: from.linkType,
        bytes: bytes.subarray(at + 28, at + 28 + captured),
        length: u32(at + 24),
      });
    } else if (type === blocks.simple) {
      throw new PacketFileError('holds packets without a time; capture with tcpdump or Wireshark');
    }
    at += size;
  }
  return { packets, isTruncated: at !== bytes.length };
}

const options = { end: 0, resolution: 9 } as const;

/** @param start The offset of the block's body in the file. */
function readInterface(order: Order, start: number, end: number): Interface {
  const { u16, u8 } = order;
  let perMillisecond = 1e3;
  for (
    let at = start + 8;
    at + 4 < end && u16(at) !== options.end;
    at += 4 + Math.ceil(u16(at + 2) / 4) * 4
  ) {
    const value = u8(at + 4);
    // The highest bit selects powers of two.
    if (u16(at) === options.resolution)
      perMillisecond = (value < 0x80 ? 10 ** value : 2 ** (value & 0x7f)) / 1e3;
  }
  return { linkType: u16(start), perMillisecond };
}

/** Reads numbers at an offset of the file. */
interface Order {
  readonly u8: (offset: number) => number;
  readonly u16: (offset: number) => number;
  readonly u32: (offset: number) => number;
}

function orderOf(bytes: Buffer, isLittle: boolean): Order {
  return {
    u8: (offset) => bytes.readUInt8(offset),
    u16: (offset) => (isLittle ? bytes.readUInt16LE(offset) : bytes.readUInt16BE(offset)),
    u32: (offset) => (isLittle ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset)),
  };
}
