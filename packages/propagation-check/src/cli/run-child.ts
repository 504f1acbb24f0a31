import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { quotePath } from '../source/file-error.ts';
import { divertSignals } from './interruption.ts';
import { skipRepeats } from './skip-repeats.ts';
import { UsageError } from './usage-error.ts';

/** Processes that end with the command take this long, and so does a repeat of the same signal by a second way. */
const momentMs = 200;
/** How long processes that outlive the command may take to end and to send their last spans. */
export const graceMs = 5_000;
/** The time between two checks whether they have ended: the system sends no notice. */
const lookMs = 20;
/** The number of signals after which the processes are killed: the user wants an end at once. */
const mostSignals = 3;

const isWindows = process.platform === 'win32';

export interface ChildEnd {
  /** The exit code, as a shell reports it: 128 + the number of the signal where one ended the command. */
  readonly exitCode: number;
  /** Whether processes of the command outlived it and were ended. */
  readonly leftBehind: boolean;
}

export interface ChildEvents {
  /** Called when processes outlive the command; they have `graceMs` to end. */
  readonly onLeftBehind?: () => void;
  /** Called when a signal was forwarded. @param left How many further signals kill the command. */
  readonly onSignal?: (signal: NodeJS.Signals, left: number) => void;
}

/**
 * Runs a command with the streams of this process, in a new process group, so that each process of it gets a signal once, whether the
 * signal comes from a terminal or from `kill`. The third signal kills the group; after the command has ended, the first one does.
 * No process of the group runs on when this resolves.
 *
 * @throws {UsageError} when the command cannot be started.
 */
export async function runChild(
  [file, ...args]: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
  { onLeftBehind = () => undefined, onSignal = () => undefined }: ChildEvents = {},
): Promise<ChildEnd> {
  let signals = 0;
  let child: ChildProcess | null = null;
  const pass = (signal: NodeJS.Signals) => {
    if (child !== null) sendToGroup(child, signal);
  };
  const count = (signal: NodeJS.Signals) => {
    signals += 1;
    if (signals < mostSignals) onSignal(signal, mostSignals - signals);
    pass(signals < mostSignals ? signal : 'SIGKILL');
  };
  const restore = divertSignals(skipRepeats(momentMs, count));
  const endPausing = passPauses(pass);
  try {
    child = spawn(file, args, { env, stdio: 'inherit', detached: !isWindows });
    await once(child, 'exit');
    const { exitCode, signalCode: signal } = child;
    const before = signals;
    const leftBehind = await endGroup(child, () => signals > before, onLeftBehind);
    return { exitCode: exitCode ?? 128 + (signal === null ? 0 : constants.signals[signal]), leftBehind };
  } catch (error) {
    throw new UsageError(`${quotePath(file)}: ${describeStart(file, error)}`);
  } finally {
    endPausing();
    restore();
  }
}

/** Job control: stops and continues the group together with this process. @returns A function that ends this. */
function passPauses(pass: (signal: NodeJS.Signals) => void): () => void {
  if (isWindows) return () => undefined;
  const stop = () => {
    // In an orphaned process group, such as this one, the default action of SIGTSTP is to do nothing (POSIX, 2.4.3).
    pass('SIGSTOP');
    process.kill(process.pid, 'SIGSTOP');
  };
  process.on('SIGTSTP', stop).on('SIGCONT', pass);
  return () => process.off('SIGTSTP', stop).off('SIGCONT', pass);
}

const startErrors: Readonly<Record<string, string>> = {
  ENOENT: 'command not found; check its spelling and PATH',
  EACCES: 'not a program that may be run; chmod +x it, or name its interpreter first',
  E2BIG: 'its arguments are too long',
  ERR_INVALID_ARG_VALUE: 'no command can have this name',
};

function describeStart(file: string, error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'EACCES' && isFolder(file)) return 'a folder; name a program in it';
  return startErrors[code] ?? error.message;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** @returns Whether processes were left to end. */
async function endGroup(
  child: ChildProcess,
  isUrgent: () => boolean,
  onLeftBehind: () => void,
): Promise<boolean> {
  if (await isGone(child, momentMs, isUrgent)) return false;
  onLeftBehind();
  sendToGroup(child, 'SIGTERM');
  if (!(await isGone(child, graceMs, isUrgent))) sendToGroup(child, 'SIGKILL');
  return true;
}

async function isGone(child: ChildProcess, withinMs: number, isUrgent: () => boolean): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (sendToGroup(child, 0) && hasLiving(child)) {
    if (Date.now() >= deadline || isUrgent()) return false;
    await delay(lookMs);
  }
  return true;
}

/** @returns Whether a process received the signal. */
function sendToGroup({ pid }: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(isWindows ? pid : -pid, signal);
  } catch {
    return false;
  }
}

/**
 * Whether a process group has a process that is no zombie. In a container without an init process the processes that outlive the command
 * become children of this one, and nothing collects them when they have ended. Source: proc(5), `/proc/pid/stat`.
 */
function hasLiving({ pid }: ChildProcess): boolean {
  try {
    const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return processes.some((name) => {
      const [, state, group] = readProcess(name);
      return group === String(pid) && state !== 'Z' && state !== 'X';
    });
  } catch {
    // The system has no `/proc`.
    return true;
  }
}

/** The state and the process group of a process; empty where it has ended meanwhile. */
function readProcess(id: string): readonly string[] {
  try {
    // The name of the process stands before them in brackets and may contain any character.
    return /^.*\) (\w) \d+ (\d+) /s.exec(readFileSync(`/proc/${id}/stat`, 'latin1')) ?? [];
  } catch {
    return [];
  }
}
