import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export type LogLine = Readonly<Record<string, unknown>>;

/** Disposing of it kills a service that a failing test has left behind. */
export interface Service extends AsyncDisposable {
  readonly url: string;
  /** The service's output on stdout so far. */
  readonly lines: readonly LogLine[];
  /** The same, and what it has printed to stderr, as it came. */
  readonly text: { readonly stdout: string; readonly stderr: string };
  readonly process: ChildProcess;
  /** Sends SIGTERM and waits for the end. */
  stop(): Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

export type ServiceName = 'service-a' | 'service-b';

const { PATH, NODE_COMPILE_CACHE } = process.env;
const quiet = { PATH, NODE_COMPILE_CACHE, HOST: '127.0.0.1', PORT: '0', OTEL_TRACES_EXPORTER: 'none' };
/** On a busy machine a first request takes longer than a service waits by default. */
const patient = { SERVICE_B_TIMEOUT_MS: '60000', MAX_EVENT_LOOP_DELAY_MS: '60000' };

/** Runs the service as a process of its own, with these variables and none of the test's, without waiting for anything. */
export function spawnService(name: ServiceName, env: NodeJS.ProcessEnv): ChildProcess {
  const args = ['--conditions=trace-context-source', '--import', './src/telemetry.ts', 'src/server.ts'];
  return spawn(process.execPath, args, {
    cwd: fileURLToPath(new URL(`../../../${name}`, import.meta.url)),
    env: { ...quiet, ...patient, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Starts the service on a free port and waits until it listens. */
export async function startService(name: ServiceName, env: NodeJS.ProcessEnv): Promise<Service> {
  const child = spawnService(name, env);
  const lines: LogLine[] = [];
  const text = { stdout: '', stderr: '' };
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text.stderr += chunk;
  });
  const ended = once(child, 'close');
  const port = await new Promise<number>((resolve, reject) => {
    ended.then(() => reject(new Error(`the service ended: ${text.stderr}`)), reject);
    if (child.stdout === null) throw new Error('stdout is not a pipe');
    createInterface({ input: child.stdout }).on('line', (printed) => {
      text.stdout += `${printed}\n`;
      const line: LogLine = JSON.parse(printed);
      lines.push(line);
      if (line.msg === 'listening' && typeof line.port === 'number') resolve(line.port);
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    lines,
    text,
    process: child,
    async stop() {
      child.kill('SIGTERM');
      const [code, signal] = await ended;
      return { code, signal };
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
