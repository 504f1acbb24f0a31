import { execFile } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a command to its end, by default in the root of the repository. */
export function run(
  command: string,
  args: readonly string[],
  { cwd = root, env = process.env }: RunOptions = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(command, [...args], { cwd, env }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}

/** Runs a script of the lab, such as `faults.ts`, to its end. */
export function runLab(script: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Ran> {
  const path = join(root, 'lab', script);
  return run(process.execPath, ['--conditions=trace-context-source', path, ...args], options);
}
