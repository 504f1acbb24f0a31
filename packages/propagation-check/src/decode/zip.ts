import { promisify } from 'node:util';
import { crc32, inflateRaw } from 'node:zlib';
import { DecodeError } from './decode-error.ts';
import { getAnew, TooLargeError } from './gunzip.ts';
import { quoteValue } from './quote-value.ts';

export interface ZipEntry {
  /** The name in the archive, for messages only: no file is written under it. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

const inflate = promisify(inflateRaw);

const signatures = { entry: 0x04034b50, directory: 0x02014b50, end: 0x06054b50 } as const;
const lengths = { entry: 30, directory: 46, end: 22 } as const;
const longestComment = 0xffff;
/** An archive of traces has one file for each trace or service. */
const mostEntries = 10_000;
const isEncrypted = 1;
/** Values that say "see zip64", for archives of 4 GiB and more. */
const inZip64 = { count: 0xffff, size: 0xffff_ffff } as const;

export function isZip(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && view(bytes).readUInt32LE(0) === signatures.entry;
}

/**
 * Uncompresses the files of a zip archive, one after the other; folders and files that macOS adds are left out.
 * @param maxBytes Limit of all files together, whatever sizes the archive states; nothing beyond it is uncompressed.
 * @throws {DecodeError} with the byte offset, or with the name of the file that is damaged, encrypted or compressed in a rare way.
 *
 * Source: PKWARE, APPNOTE.TXT 6.3.
 */
export async function* unzip(bytes: Uint8Array, maxBytes: number): AsyncGenerator<ZipEntry> {
  const buffer = view(bytes);
  let left = maxBytes;
  for (const header of readDirectory(buffer)) {
    if (header.name.endsWith('/') || /(^|\/)(__MACOSX\/|\.DS_Store$)/.test(header.name)) continue;
    const content = await readEntry(buffer, header, left, maxBytes);
    left -= content.length;
    yield { name: header.name, bytes: content };
  }
}

interface Header {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly offset: number;
}

function* readDirectory(buffer: Buffer): Generator<Header> {
  const end = findEnd(buffer);
  const count = buffer.readUInt16LE(end + 10);
  if (count === inZip64.count) throw new DecodeError('zip: a zip64 archive; unpack it, and name its files');
  if (count > mostEntries)
    throw new DecodeError(`zip: holds ${count} files, more than ${mostEntries}; unpack it`);
  let at = buffer.readUInt32LE(end + 16);
  for (let index = 0; index < count; index += 1) {
    expectSignature(buffer, at, lengths.directory, signatures.directory);
    const nameLength = buffer.readUInt16LE(at + 28);
    const nameStart = at + lengths.directory;
    yield {
      name: buffer.toString('utf8', nameStart, nameStart + nameLength),
      flags: buffer.readUInt16LE(at + 8),
      method: buffer.readUInt16LE(at + 10),
      crc: buffer.readUInt32LE(at + 16),
      compressedSize: buffer.readUInt32LE(at + 20),
      size: buffer.readUInt32LE(at + 24),
      offset: buffer.readUInt32LE(at + 42),
    };
    at = nameStart + nameLength + buffer.readUInt16LE(at + 30) + buffer.readUInt16LE(at + 32);
  }
}

/** Finds the last record, which a comment may follow. */
function findEnd(buffer: Buffer): number {
  const first = Math.max(0, buffer.length - lengths.end - longestComment);
  for (let at = buffer.length - lengths.end; at >= first; at -= 1) {
    if (buffer.readUInt32LE(at) === signatures.end) return at;
  }
  throw new DecodeError(`zip: has no directory, as if it was cut off; ${getAnew}`);
}

function expectSignature(buffer: Buffer, at: number, length: number, signature: number): void {
  if (at + length > buffer.length || buffer.readUInt32LE(at) !== signature) {
    throw new DecodeError(`byte ${at}: damaged zip archive; ${getAnew}`);
  }
}

async function readEntry(
  buffer: Buffer,
  header: Header,
  left: number,
  maxBytes: number,
): Promise<Uint8Array> {
  const fail = (reason: string) => new DecodeError(`zip, ${quoteValue(header.name)}: ${reason}`);
  if ((header.flags & isEncrypted) !== 0) throw fail('encrypted; unpack it with its password');
  if (header.compressedSize === inZip64.size || header.offset === inZip64.size) {
    throw fail('a zip64 archive; unpack it, and name its files');
  }
  expectSignature(buffer, header.offset, lengths.entry, signatures.entry);
  const start =
    header.offset +
    lengths.entry +
    buffer.readUInt16LE(header.offset + 26) +
    buffer.readUInt16LE(header.offset + 28);
  const end = start + header.compressedSize;
  if (end > buffer.length) throw fail(`reaches beyond the end of the archive; ${getAnew}`);
  const packed = buffer.subarray(start, end);
  const content = await unpack(packed, header.method, left).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error)) throw error;
    if (error.code !== 'ERR_BUFFER_TOO_LARGE') throw fail(`damaged; ${getAnew}`);
    throw new TooLargeError(
      `zip, ${quoteValue(header.name)}: uncompressed data is larger than ${maxBytes} bytes`,
    );
  });
  if (content === null) throw fail(`compressed with method ${header.method}; unpack it, and name its files`);
  if (content.length !== header.size || crc32(content) !== header.crc) throw fail(`damaged; ${getAnew}`);
  return content;
}

/** @returns Null for a method that is neither "stored" nor "deflate". */
async function unpack(packed: Uint8Array, method: number, left: number): Promise<Uint8Array | null> {
  if (method === 8) return inflate(packed, { maxOutputLength: Math.max(1, left) });
  if (method !== 0) return null;
  if (packed.length > left) throw Object.assign(new Error('too large'), { code: 'ERR_BUFFER_TOO_LARGE' });
  return packed;
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
