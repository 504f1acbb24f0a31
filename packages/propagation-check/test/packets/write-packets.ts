import type { Segment } from '../../src/packets/tcp-segment.ts';

interface Written {
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly bytes: Buffer;
}

const raw = 101;

/** An IPv4 packet with a TCP segment, without checksums. */
export function writeSegment({ from, to, sequence, acknowledged, isSyn, isEnd, payload }: Segment): Buffer {
  const head = Buffer.alloc(40);
  head.writeUInt8(0x45, 0);
  head.writeUInt16BE(40 + payload.length, 2);
  head.writeUInt8(6, 9);
  for (const [index, end] of [from, to].entries()) {
    const [address = '', port = ''] = end.split(':');
    head.set(address.split('.').map(Number), 12 + index * 4);
    head.writeUInt16BE(Number(port), 20 + index * 2);
  }
  head.writeUInt32BE(sequence, 24);
  head.writeUInt32BE(acknowledged, 28);
  head.writeUInt8(0x50, 32);
  head.writeUInt8((isSyn ? 2 : 0) | (isEnd ? 1 : 0), 33);
  return Buffer.concat([head, payload]);
}

export function writePcap(packets: readonly Written[]): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt32LE(raw, 20);
  return Buffer.concat([
    head,
    ...packets.flatMap(({ time, bytes }) => {
      const record = Buffer.alloc(16);
      record.writeUInt32LE(Math.floor(time / 1e3), 0);
      record.writeUInt32LE(Math.round((time % 1e3) * 1e3), 4);
      record.writeUInt32LE(bytes.length, 8);
      record.writeUInt32LE(bytes.length, 12);
      return [record, bytes];
    }),
  ]);
}

/** @param digits The number of decimal digits in the fraction of time stamps. */
export function writePcapng(packets: readonly Written[], isLittle: boolean, digits: number): Buffer {
  const words = (...values: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(values.length * 4);
    for (const [index, value] of values.entries()) {
      if (isLittle) bytes.writeUInt32LE(value, index * 4);
      else bytes.writeUInt32BE(value, index * 4);
    }
    return bytes;
  };
  const halves = (first: number, second: number): Buffer =>
    words(isLittle ? first + second * 65_536 : first * 65_536 + second);
  const block = (type: number, body: Buffer): Buffer => {
    const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
    const size = padded.length + 12;
    return Buffer.concat([words(type, size), padded, words(size)]);
  };
  const resolution = Buffer.concat([halves(9, 1), Buffer.from([digits, 0, 0, 0]), halves(0, 0)]);
  return Buffer.concat([
    block(0x0a0d0d0a, Buffer.concat([words(0x1a2b3c4d), halves(1, 0), words(0xffffffff, 0xffffffff)])),
    block(1, Buffer.concat([halves(raw, 0), words(0), resolution])),
    ...packets.map(({ time, bytes }) => {
      const units = BigInt(Math.round(time * 1e3)) * 10n ** BigInt(digits - 6);
      return block(
        6,
        Buffer.concat([
          words(0, Number(units >> 32n), Number(units & 0xffffffffn), bytes.length, bytes.length),
          bytes,
        ]),
      );
    }),
  ]);
}
