import { execFile } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const outputLimit = 512 * 1024 * 1024;

/** The engine, Compose or a container did not do what it was asked. The message holds the command and its last words. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

export interface CommandOptions {
  readonly env?: Readonly<NodeJS.ProcessEnv>;
  readonly signal?: AbortSignal | undefined;
}

/** What a command wrote. */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command in the repository's root, in a process group of its own: Ctrl-C in the terminal reaches the script,
 * which then takes down what it started.
 * @throws {CommandError} when it cannot be run, or its exit code is not 0.
 */
export function runCommand(
  command: string,
  args: readonly string[],
  { env = process.env, signal }: CommandOptions = {},
): Promise<Output> {
  return new Promise((resolve, reject) => {
    const options = {
      cwd: root,
      env,
      signal,
      maxBuffer: outputLimit,
      detached: process.platform !== 'win32',
    };
    execFile(command, [...args], options, (error, stdout, stderr) => {
      if (error === null) resolve({ stdout, stderr });
      else if (signal?.aborted) reject(signal.reason);
      else reject(new CommandError(`${[command, ...args].join(' ')}: ${lastWords(stderr) || error.message}`));
    });
  });
}

function lastWords(text: string): string {
  return text.trim().split('\n').slice(-3).join(' ').trim();
}
