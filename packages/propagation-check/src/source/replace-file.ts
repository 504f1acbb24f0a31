import { access, constants, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';

/** Replaces a file atomically, by one that was written beside it. A device or a pipe is written to instead. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const { target, isReplaced } = await findTarget(path);
  if (!isReplaced) return writeFile(target, text);
  await writeBeside(target, text, (beside) => rename(beside, target));
}

/** Finds out whether a file can be replaced; nothing that is written stays. @throws as `replaceFile` */
export async function tryReplaceFile(path: string): Promise<void> {
  const { target, isReplaced } = await findTarget(path);
  if (!isReplaced) return access(target, constants.W_OK);
  await writeBeside(target, '', (beside) => rm(beside));
}

async function findTarget(path: string): Promise<{ readonly target: string; readonly isReplaced: boolean }> {
  // The file that a link names, not the link.
  const target = await realpath(path).catch(() => path);
  const found = await stat(target).catch(() => null);
  return { target, isReplaced: found === null || found.isFile() };
}

async function writeBeside(
  target: string,
  text: string,
  use: (beside: string) => Promise<void>,
): Promise<void> {
  const beside = `${target}.${process.pid}.tmp`;
  try {
    // A process that was killed may have left one, and had the same number, as in a container.
    await rm(beside, { force: true });
    // Flushed: a machine that loses power has the old text or the new one.
    await writeFile(beside, text, { flag: 'wx', flush: true });
    await use(beside);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
