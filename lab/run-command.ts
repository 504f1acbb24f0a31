import { execFile } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const outputLimit = 512 * 1024 * 1024;

/** A command of the engine, of Compose or in a container failed. The message has the command and the end of its output. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

export interface CommandOptions {
  readonly env?: Readonly<NodeJS.ProcessEnv>;
  readonly signal?: AbortSignal | undefined;
}

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command in the repository's root, in its own process group: Ctrl-C in the terminal reaches only the script, which then cleans up.
 * An abort ends the command, and the promise rejects once the command has exited: until then it may still create what is to be cleaned up.
 * @throws {CommandError} when it cannot be run, or its exit code is not 0.
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  { env = process.env, signal }: CommandOptions = {},
): Promise<Output> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Output>();
  const options = { cwd: root, env, maxBuffer: outputLimit, detached: process.platform !== 'win32' };
  const child = execFile(command, [...args], options, (error, stdout, stderr) => {
    if (error === null) resolve({ stdout, stderr });
    else reject(new CommandError(`${[command, ...args].join(' ')}: ${lastWords(stderr) || error.message}`));
  });
  const end = () => child.kill();
  signal?.addEventListener('abort', end, { once: true });
  try {
    return await promise;
  } finally {
    signal?.removeEventListener('abort', end);
    signal?.throwIfAborted();
  }
}

function lastWords(text: string): string {
  return text.trim().split('\n').slice(-3).join(' ').trim();
}
