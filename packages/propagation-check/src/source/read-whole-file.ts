import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';

/** Of a pipe or a device: `/dev/zero` has no end. */
const mostBytes = 512_000_000;

/** Reads what a file, a pipe or a device holds. */
export async function readWholeFile(path: string): Promise<Buffer> {
  if ((await stat(path)).isFile()) return readFile(path);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of createReadStream(path)) {
    size += chunk.length;
    if (size > mostBytes)
      throw new Error(`a device or a pipe with more than ${mostBytes} bytes; name a file`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export async function readText(path: string): Promise<string> {
  return (await readWholeFile(path)).toString();
}
