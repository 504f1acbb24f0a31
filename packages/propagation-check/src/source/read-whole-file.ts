import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';

/** The largest document that is held as a whole: about the longest string in Node.js. */
export const largestDocument = 512_000_000;
/** Settings are written by hand: a larger file is another file, or an endless device. */
const largestSettings = 16 * 1024 * 1024;

/** Reads a file, or up to `largestDocument` bytes of a pipe or a device, which may be endless. */
export async function readWholeFile(path: string): Promise<Buffer> {
  return (await stat(path)).isFile() ? readFile(path) : readAtMost(path, largestDocument);
}

export async function readSettings(path: string): Promise<string> {
  return (await readAtMost(path, largestSettings)).toString();
}

async function readAtMost(path: string, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of createReadStream(path)) {
    size += chunk.length;
    if (size > most) throw new Error(`more than ${most} bytes; name another file`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
