import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { divertSignals } from './interruption.ts';
import { UsageError } from './usage-error.ts';

/** Processes that end together with the command are a moment later than it. */
const momentMs = 200;
/** How long processes that a command leaves behind may take to end and to send their last spans. */
const graceMs = 5_000;
/** Between two looks whether they have ended: nothing tells it. */
const lookMs = 20;
/** Who asks so often wants an end at once. */
const mostSignals = 3;

const isWindows = process.platform === 'win32';

export interface ChildEnd {
  /** As a shell has it: 128 + its number for a signal. */
  readonly exitCode: number;
  /** Processes of the command outlived it, and were ended. */
  readonly leftBehind: boolean;
}

/**
 * Runs a command with the streams of this process, in a process group of its own: a signal reaches each process of it once, whether
 * it comes from a terminal or from `kill`; the third one kills them. Nothing of the group runs on when this resolves.
 *
 * @throws {UsageError} when the command cannot be started.
 */
export async function runChild(
  [file, ...args]: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
): Promise<ChildEnd> {
  let signals = 0;
  let child: ChildProcess | null = null;
  const restore = divertSignals((signal) => {
    signals += 1;
    if (child !== null) sendToGroup(child, signals < mostSignals ? signal : 'SIGKILL');
  });
  try {
    child = spawn(file, args, { env, stdio: 'inherit', detached: !isWindows });
    await once(child, 'exit');
    const { exitCode, signalCode: signal } = child;
    const leftBehind = await endGroup(child, () => signals >= mostSignals);
    return { exitCode: exitCode ?? 128 + (signal === null ? 0 : constants.signals[signal]), leftBehind };
  } catch (error) {
    throw new UsageError(`${file}: ${describeStart(error)}`);
  } finally {
    restore();
  }
}

const startErrors: Readonly<Record<string, string>> = {
  ENOENT: 'command not found; check its spelling and PATH',
  EACCES: 'not a program that may be run; chmod +x it, or name its interpreter first',
  E2BIG: 'its arguments are too long',
};

function describeStart(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  return startErrors[code] ?? error.message;
}

/** @returns Whether there was anything to end. */
async function endGroup(child: ChildProcess, isUrgent: () => boolean): Promise<boolean> {
  if (await isGone(child, momentMs, isUrgent)) return false;
  sendToGroup(child, 'SIGTERM');
  // It may be gone by name alone: nobody collects the dead of a container without an init process.
  if (!(await isGone(child, graceMs, isUrgent))) sendToGroup(child, 'SIGKILL');
  return true;
}

async function isGone(child: ChildProcess, withinMs: number, isUrgent: () => boolean): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (sendToGroup(child, 0)) {
    if (Date.now() >= deadline || isUrgent()) return false;
    await delay(lookMs);
  }
  return true;
}

/** @returns Whether anybody got it. */
function sendToGroup({ pid }: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(isWindows ? pid : -pid, signal);
  } catch {
    return false;
  }
}
