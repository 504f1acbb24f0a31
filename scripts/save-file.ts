import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describeFileError } from 'propagation-check/kit';

/** Writes a file whole or not at all, because another run may be writing it too. Answers with what went wrong, or null. */
export async function saveFile(path: string, content: string): Promise<string | null> {
  const draft = `${path}.${process.pid}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(draft, content);
    await rename(draft, path);
    return null;
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    return describeFileError(error);
  }
}
