import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { link, lstat, realpath, rename, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { describeFileError, quotePath } from '../source/file-error.ts';
import { SourceError } from '../source/source.ts';

const isWindows = process.platform === 'win32';
/** The longest path of a socket: 104 bytes with the final NUL on macOS, 108 on Linux. */
const longestPath = 103;

/**
 * Locks a file for this process. The lock is a socket beside the file. The system closes it when the process ends in any way, and a socket on
 * which nobody listens is no lock.
 * @returns A function that releases the lock. @throws {SourceError} when another process has the lock, or it cannot be made.
 */
export async function lockFile(path: string): Promise<() => Promise<void>> {
  const address = await findAddress(path);
  const server = createServer((socket) => socket.destroy()).unref();
  const tryListen = async () => {
    server.listen(address);
    await once(server, 'listening');
  };
  try {
    await tryListen().catch(async (error: unknown) => {
      if (codeOf(error) !== 'EADDRINUSE') throw error;
      await removeLeftover(address, path);
      await tryListen();
    });
  } catch (error) {
    throw error instanceof SourceError ? error : new SourceError(describeLockError(error, path));
  }
  return async () => {
    const closed = once(server, 'close');
    server.close();
    await closed;
  };
}

/** The path of the lock, beside the file to which a link leads. It is relative to the working directory where that is shorter. */
async function findAddress(path: string): Promise<string> {
  const target = await realpath(path).catch(async () => {
    const folder = await realpath(dirname(path)).catch(() => resolve(dirname(path)));
    return join(folder, basename(path));
  });
  const absolute = `${target}.lock`;
  if (isWindows) return `\\\\.\\pipe\\${absolute.replace(/[\\/:]/g, '-')}`;
  const [address] = [relative('', absolute), absolute].sort((one, other) => one.length - other.length);
  if (address === undefined || Buffer.byteLength(address) <= longestPath) return address ?? absolute;
  throw new SourceError(
    `--state ${quotePath(path)}: too long for the lock beside it (${Buffer.byteLength(address)} bytes, at most ${longestPath}); name a file ` +
      'with a shorter path, or start in its folder',
  );
}

/** @throws {SourceError} when the lock belongs to a running process, or the file is not a socket. */
async function removeLeftover(address: string, path: string): Promise<void> {
  // On Windows a pipe ends with its process, so the lock is in use.
  if (isWindows) throw inUse(path);
  const found = await lstat(address).catch(() => null);
  if (found !== null && !found.isSocket())
    throw new SourceError(
      `--state ${quotePath(path)}: ${quotePath(address)} is in the way of its lock; move it away`,
    );
  if (await isAnswered(address)) throw inUse(path);
  // Two processes may do this at once: one moves the leftover, and the other may move the new lock of the first, so that is put back.
  const aside = `${address}.${randomBytes(4).toString('hex')}`;
  await rename(address, aside).catch(() => undefined);
  const isLock = await isAnswered(aside);
  if (isLock) await link(aside, address).catch(() => undefined);
  await rm(aside, { force: true });
  if (isLock) throw inUse(path);
}

async function isAnswered(address: string): Promise<boolean> {
  const socket = connect(address);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    const code = codeOf(error);
    return code !== 'ECONNREFUSED' && code !== 'ENOENT';
  } finally {
    socket.destroy();
  }
}

function inUse(path: string): SourceError {
  return new SourceError(
    `--state ${quotePath(path)}: in use by another sink, and each needs a file of its own; name another file, or stop that sink`,
  );
}

function describeLockError(error: unknown, path: string): string {
  const folder = dirname(path);
  // The system reports EACCES for a missing folder.
  const reason = existsSync(folder) ? describeFileError(error) : `there is no folder ${quotePath(folder)}`;
  if (codeOf(error) === 'EADDRINUSE') return inUse(path).message;
  return `--state ${quotePath(path)}: the counters cannot be saved: ${reason}`;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
