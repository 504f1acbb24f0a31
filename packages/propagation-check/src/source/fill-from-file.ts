import type { FileHandle } from 'node:fs/promises';
import type { Fill } from './cut-pieces.ts';

/** Fills from the beginning of a file, and counts the bytes in `progress`. */
export function fillFromFile(
  file: FileHandle,
  progress: { bytes: number },
  signal: AbortSignal | undefined,
): Fill {
  progress.bytes = 0;
  return async (bytes) => {
    signal?.throwIfAborted();
    const { bytesRead } = await file.read(bytes, 0, bytes.length, progress.bytes);
    progress.bytes += bytesRead;
    return bytesRead;
  };
}
