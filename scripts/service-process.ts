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
  /** Stops the service and waits for its exit. After a timeout it kills the service and its child processes. */
  stop(): Promise<void>;
}

export interface ServiceSpec {
  readonly name: string;
  /** The service's folder. */
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  /** The module that listens, relative to the folder; `src/server.ts` by default. */
  readonly entry?: string;
  /** Modules that are loaded before the entry, in this order: URLs, or paths relative to the folder. */
  readonly preload: readonly string[];
  readonly signal: AbortSignal;
}

/** The service did not start. The message is the last line of its output, if any. */
export class ServiceStartError extends Error {
  override readonly name = 'ServiceStartError';
}

const startTimeoutMs = 60_000;
/** A service stops within 8 s, even when no receiver accepts its spans. */
const stopTimeoutMs = 9_000;
const keptLines = 20;

const listeningSchema = z.object({ port: z.number().int().positive() });

/**
 * Starts a service as a process and waits until it listens on a free port.
 * @throws {ServiceStartError} when it exits before that or takes too long. The process has then ended.
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
    // Its own process group, so that Ctrl-C in the terminal reaches only the demo, which then stops the services in order.
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
  // Both streams are read to their ends, so that the service never blocks on a full pipe.
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
  // Only the first of these promises is awaited below; the others may reject later, when the service stops.
  failed.catch(() => undefined);
  timeout.catch(() => undefined);
  try {
    return await Promise.race([listening.promise, failed, timeout]);
  } finally {
    over.abort();
  }
}

/** Resolves with a description of how the process ended, even if it could not be started. */
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
    // The process has just exited by itself.
  }
}
