import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describeFileError, replaceFile } from 'propagation-check/kit';

/** Writes a file whole or not at all, because another run may be writing it too. Answers with what went wrong, or null. */
export async function saveFile(path: string, content: string): Promise<string | null> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await replaceFile(path, content);
    return null;
  } catch (error) {
    return describeFileError(error);
  }
}
