import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

export interface ServiceProcess {
  readonly name: string;
  readonly pid: number;
  readonly url: URL;
  readonly process: ChildProcess;
  /** Asks the service to stop, waits until it has, and kills it and what it started when that takes too long. */
  stop(): Promise<void>;
}

export interface ServiceSpec {
  readonly name: string;
  /** The service's folder. */
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  /** The module that listens, from that folder; by default `src/server.ts`. */
  readonly entry?: string;
  /** Modules that are loaded before it, in this order; URLs, or paths from that folder. */
  readonly preload: readonly string[];
  readonly signal: AbortSignal;
}

/** The service did not start. The message is its own last word, where it had one. */
export class ServiceStartError extends Error {
  override readonly name = 'ServiceStartError';
}

const startTimeoutMs = 60_000;
/** A service stops within 8 s, even when nobody takes its spans. */
const stopTimeoutMs = 9_000;
const keptLines = 20;

const listeningSchema = z.object({ port: z.number().int().positive() });

/**
 * Starts a service as its own process and waits until it listens on a free port.
 * @throws {ServiceStartError} when it exits before that or takes too long; then nothing of it is left.
 */
export async function startService({
  name,
  directory,
  env,
  entry = 'src/server.ts',
  preload,
  signal,
}: ServiceSpec): Promise<ServiceProcess> {
  signal.throwIfAborted();
  const modules = [import.meta.resolve('./report-to-parent.ts'), ...preload];
  const options = ['--conditions=trace-context-source', ...modules.map((module) => `--import=${module}`)];
  const child = spawn(process.execPath, [...options, entry], {
    cwd: directory,
    env: { ...env, HOST: '127.0.0.1', PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Its own process group: Ctrl-C in the terminal reaches the demo, which then stops the services in order.
    detached: process.platform !== 'win32',
  });
  const exited = waitForExit(child);
  try {
    const port = await waitUntilListening(child, exited, { name, signal });
    return {
      name,
      pid: child.pid ?? 0,
      process: child,
      url: new URL(`http://127.0.0.1:${port}`),
      stop: () => stopProcess(child, exited),
    };
  } catch (error) {
    await stopProcess(child, exited);
    throw error;
  }
}

async function waitUntilListening(
  child: ChildProcess,
  exited: Promise<string>,
  { name, signal }: Pick<ServiceSpec, 'name' | 'signal'>,
): Promise<number> {
  const lastWords: string[] = [];
  const listening = Promise.withResolvers<number>();
  if (child.stdout === null || child.stderr === null) throw new ServiceStartError(`${name} has no output`);
  child.once('message', (message) => listening.resolve(listeningSchema.parse(message).port));
  // Both are read to the end, so that the service never waits for a reader.
  child.stdout.resume();
  const stderrEnded = once(
    createInterface(child.stderr).on('line', (line) => {
      lastWords.push(line);
      if (lastWords.length > keptLines) lastWords.shift();
    }),
    'close',
  );

  const failed = exited.then(async (how) => {
    await stderrEnded;
    const said = lastWords.join('\n');
    throw new ServiceStartError(said === '' ? `${name} ${how} before it listened` : said);
  });
  const over = new AbortController();
  const timeout = delay(startTimeoutMs, undefined, { signal: AbortSignal.any([signal, over.signal]) }).then(
    () => {
      throw new ServiceStartError(`${name} does not listen after ${startTimeoutMs / 1000} s`);
    },
  );
  // The one that decides is awaited below; the others may still reject when the service is stopped.
  failed.catch(() => undefined);
  timeout.catch(() => undefined);
  try {
    return await Promise.race([listening.promise, failed, timeout]);
  } finally {
    over.abort();
  }
}

/** Resolves with how the process ended, also when it could not be started at all. */
function waitForExit(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started (${error.message})`));
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `exited with code ${code}` : `was ended by ${signal}`),
    );
  });
}

async function stopProcess(child: ChildProcess, exited: Promise<string>): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const over = new AbortController();
  const late = delay(stopTimeoutMs, 'late', { signal: over.signal }).catch(() => 'stopped');
  if ((await Promise.race([exited, late])) === 'late') killGroup(child, child.pid);
  over.abort();
  await exited;
}

function killGroup(child: ChildProcess, pid: number): void {
  if (process.platform === 'win32') {
    child.kill('SIGKILL');
    return;
  }
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The process has just ended by itself.
  }
}
