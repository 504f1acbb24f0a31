import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execute } from '../../src/cli/run-program.ts';

/** The source of the command line, or the build of `build-cli.ts`. */
export const entry = process.env.BUILT_CHECKER ?? fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

export interface CliOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** The content of standard input. */
  readonly input?: string | Uint8Array;
}

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the command line as a process, which is killed at the end of the test. */
export function spawnCli(
  test: TestContext,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  cwd = process.cwd(),
): ChildProcessWithoutNullStreams {
  const { COLUMNS: _, FORCE_COLOR: __, NO_COLOR: ___, ...inherited } = process.env;
  const child = spawn(process.execPath, [entry, ...args], { env: { ...inherited, ...env }, cwd });
  test.after(() => child.kill('SIGKILL'));
  return child;
}

/** Runs the command line to its end in this process: for tests without signals, pipes and environment variables. */
export async function executeCli(...args: readonly string[]): Promise<CliResult> {
  const printed: string[] = [];
  const said: string[] = [];
  let code: number | null = null;
  await execute(['node', 'propagation-check', ...args], {
    output: { width: 100, color: false, print: async (text) => void printed.push(text) },
    writeError: (text) => said.push(text),
    setExitCode: (to) => {
      code = to;
    },
    signal: new AbortController().signal,
    endOnSignals: () => undefined,
  });
  return { code, stdout: printed.join(''), stderr: said.join('') };
}

/** Runs the command line to its end, as its own process. */
export async function runCli(
  test: TestContext,
  args: readonly string[],
  { env, cwd, input }: CliOptions = {},
): Promise<CliResult> {
  const child = spawnCli(test, args, env, cwd);
  child.stdin.on('error', () => undefined); // It may end before it has read everything.
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code, stdout, stderr };
}

/** Asserts one clear line on standard error, nothing on standard output, and exit code 2. */
export function assertIsRefusal({ code, stdout, stderr }: CliResult, message: RegExp): void {
  assert.match(stderr, message);
  assert.match(stderr, /^propagation-check: [^\n]+\n$/);
  assert.deepEqual([code, stdout], [2, '']);
}

/** Makes a folder with these files, for the time of the test. */
export async function makeFolder(
  test: TestContext,
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'propagation-check-'));
  test.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

/** Makes a link whose target cannot be created: the path looks free, and writing it fails. */
export async function linkNowhere(folder: string): Promise<string> {
  const path = join(folder, 'nowhere');
  await symlink(join(folder, 'absent', 'file'), path);
  return path;
}
