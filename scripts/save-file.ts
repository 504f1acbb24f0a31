import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describeFileError, replaceFile } from 'propagation-check/kit';

/** Writes a file atomically, because another run may write it at the same time. Resolves with the problem, or null. */
export async function saveFile(path: string, content: string): Promise<string | null> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await replaceFile(path, content);
    return null;
  } catch (error) {
    return describeFileError(error);
  }
}
