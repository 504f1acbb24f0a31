import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { readAtMost } from './read-at-most.ts';

/** The largest document that is held as a whole: about the longest string in Node.js. */
export const largestDocument = 512_000_000;
/** Settings are written by hand: a larger file is another file, or an endless device. */
const largestSettings = 16 * 1024 * 1024;

/** Reads a file, or up to `largestDocument` bytes of a pipe or a device, which may be endless. */
export async function readWholeFile(path: string): Promise<Buffer> {
  return (await stat(path)).isFile() ? readFile(path) : readStream(path, largestDocument);
}

export async function readSettings(path: string): Promise<string> {
  return (await readStream(path, largestSettings)).toString();
}

function readStream(path: string, most: number): Promise<Buffer> {
  const refuse = () => new Error(`more than ${most} bytes; name another file`);
  return readAtMost(createReadStream(path), most, refuse);
}
