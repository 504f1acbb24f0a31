/** Files on volumes, each readable only by the user whose container mounts the volume. */
import { chown, readFile, rename, rm, writeFile } from 'node:fs/promises';

/** Reads a file; null when it does not exist. */
export async function readIfPresent(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Writes a file atomically, and only if its content changes, because programs watch these files. */
export async function writeSecret(path: string, content: string, uid: number): Promise<void> {
  const draft = draftOf(path);
  // A killed start may have left a draft.
  await rm(draft, { force: true });
  if ((await readIfPresent(path)) === content) return;
  await writeFile(draft, content, { mode: 0o400, flush: true });
  await chown(draft, uid, uid);
  await rename(draft, path);
}

export async function removeSecret(path: string): Promise<void> {
  await Promise.all([path, draftOf(path)].map((one) => rm(one, { force: true })));
}

function draftOf(path: string): string {
  return `${path}.new`;
}
