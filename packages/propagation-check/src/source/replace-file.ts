import { realpath, rename, rm, stat, writeFile } from 'node:fs/promises';

/** Replaces a file atomically, by one that was written beside it. A device or a pipe is written to instead. */
export async function replaceFile(path: string, text: string): Promise<void> {
  // The file that a link names, not the link.
  const target = await realpath(path).catch(() => path);
  const found = await stat(target).catch(() => null);
  if (found !== null && !found.isFile()) return writeFile(target, text);
  const beside = `${target}.${process.pid}.tmp`;
  try {
    // A process that was killed may have left one, and had the same number, as in a container.
    await rm(beside, { force: true });
    // Flushed: a machine that loses power has the old text or the new one.
    await writeFile(beside, text, { flag: 'wx', flush: true });
    await rename(beside, target);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
