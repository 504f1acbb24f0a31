import { access, constants, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';

/** Replaces a file atomically by a new file that is written beside it. A device or a pipe is written directly. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const { target, isReplaced } = await findTarget(path);
  if (!isReplaced) return writeFile(target, text);
  await writeBeside(target, text, (beside) => rename(beside, target));
}

/** Checks whether a file can be replaced, and leaves nothing behind. @throws as `replaceFile` */
export async function tryReplaceFile(path: string): Promise<void> {
  const { target, isReplaced } = await findTarget(path);
  if (!isReplaced) return access(target, constants.W_OK);
  await writeBeside(target, '', (beside) => rm(beside));
}

async function findTarget(path: string): Promise<{ readonly target: string; readonly isReplaced: boolean }> {
  // Replaces the target of a symbolic link, not the link.
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
    // A killed process may have left a file with the same process id, for example in a container.
    await rm(beside, { force: true });
    // Flushed: after a power failure the file has either the old or the new text.
    await writeFile(beside, text, { flag: 'wx', flush: true });
    await use(beside);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
