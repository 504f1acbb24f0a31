/** Files on volumes, each readable only by the user whose container mounts the volume. */
import { chown, readFile, rename, rm, writeFile } from 'node:fs/promises';

/** Null where there is none. */
export async function readIfPresent(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Whole or not at all, and only where the content is another: programs watch these files. */
export async function writeSecret(path: string, content: string, uid: number): Promise<void> {
  const draft = draftOf(path);
  // A start that was killed has left it.
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
