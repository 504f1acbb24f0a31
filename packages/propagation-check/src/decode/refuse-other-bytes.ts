import { constants, inflateSync } from 'node:zlib';
import { DecodeError, makeSpanlessError } from './decode-error.ts';

interface Beginning {
  /** The first bytes, in Latin-1. */
  readonly begins: string;
  readonly at?: number;
  /** Whether the following bytes fit this kind: other content may share a short beginning. */
  readonly fits?: (head: Buffer) => boolean;
}

interface OtherBytes extends Beginning {
  readonly says: string;
}

interface ForeignBytes extends Beginning {
  readonly is: string;
  readonly advice?: string;
}

const others: readonly OtherBytes[] = [
  {
    begins: '\x28\xb5\x2f\xfd',
    says: 'compressed with zstd; uncompress it first (zstd -d), or use Node.js 22.15 or later',
  },
  {
    begins: '\x28\xb5\x2f\xfd',
    at: 4,
    says:
      "compressed with zstd message by message, as the Collector's file exporter does with `compression: zstd`; " +
      'run this tool with Node.js 22.15 or later, or write the file without compression',
  },
  { begins: '\x1f\x8b\x08', says: 'compressed twice; uncompress it first (gunzip)' },
  { begins: '\x04\x22\x4d\x18', says: 'compressed with lz4; uncompress it first (lz4 -d)' },
  { begins: '\xff\x06\x00\x00sNaPpY', says: 'compressed with snappy; uncompress it first (snzip -d)' },
  ...['\xff\xfe\x00\x00', '\x00\x00\xfe\xff', '{\x00\x00\x00', '[\x00\x00\x00'].map((begins) => ({
    begins,
    says: 'text in UTF-32; convert it (iconv -f UTF-32 -t UTF-8)',
  })),
  {
    begins: '\x1e',
    fits: (head) => /^\s*[{[]/.test(head.toString('latin1', 1)),
    says: 'a sequence of JSON texts with record separators (RFC 7464); remove these (tr -d "\\036")',
  },
  {
    begins: 'BZh',
    // A block begins with the digits of pi.
    fits: (head) => /^[1-9]1AY&SY/.test(head.toString('latin1', 3)),
    says: 'compressed with bzip2; uncompress it first (bunzip2)',
  },
  { begins: '\xfd7zXZ', says: 'compressed with xz; uncompress it first (unxz)' },
  ...['\x78\x01', '\x78\x9c', '\x78\xda'].map((begins) => ({
    begins,
    fits: isDeflated,
    says: 'compressed with zlib; uncompress it first (pigz -dz)',
  })),
  { begins: '7z\xbc\xaf', says: 'a 7z archive; unpack it, and name its files' },
  { begins: 'PK\x03\x04', says: 'a zip archive within an archive; unpack it, and name its files' },
  { begins: 'PK\x05\x06', says: 'an empty zip archive' },
  { begins: 'ustar', at: 257, says: 'a tar archive; unpack it (tar -xf), and name its files' },
  {
    begins: 'PAR1',
    says: 'Parquet, as Tempo stores blocks; ask Tempo for the traces (/api/traces/TRACE_ID)',
  },
  { begins: 'SQLite format 3', says: 'a SQLite database; export its spans as OTLP JSON' },
];

/** Kinds of files that never hold traces. */
const foreign: readonly ForeignBytes[] = [
  ...['\xd4\xc3\xb2\xa1', '\xa1\xb2\xc3\xd4', '\x4d\x3c\xb2\xa1', '\x0a\x0d\x0d\x0a'].map((begins) => ({
    begins,
    is: 'a capture of packets (pcap)',
    advice: 'give it beside a file of spans: --wire FILE',
  })),
  { begins: '%PDF', is: 'a PDF' },
  ...['\x89PNG', '\xff\xd8\xff'].map((begins) => ({
    ...{ begins, is: 'a picture', advice: 'download the trace as JSON' },
  })),
];

const furthest = 300;

/** @throws {DecodeError} for a recognised kind of file without readable spans; the message names the kind and gives advice. */
export function refuseOtherBytes(bytes: Uint8Array): void {
  const head = Buffer.from(bytes.subarray(0, furthest));
  const start = head.toString('latin1');
  const find = <Kind extends Beginning>(known: readonly Kind[]): Kind | undefined =>
    known.find(({ begins, at = 0, fits = () => true }) => start.startsWith(begins, at) && fits(head));
  const spanless = find(foreign);
  if (spanless !== undefined) throw makeSpanlessError('byte 0', spanless.is, spanless.advice);
  const other = find(others);
  if (other !== undefined) throw new DecodeError(`byte 0: ${other.says}`);
}

function isDeflated(head: Buffer): boolean {
  try {
    inflateSync(head, { finishFlush: constants.Z_SYNC_FLUSH });
    return true;
  } catch {
    return false;
  }
}
