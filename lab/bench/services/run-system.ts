import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

const root = join(import.meta.dirname, '..', '..', '..');
const autocannon = createRequire(import.meta.url).resolve('autocannon');

export const systems = ['bare', 'stock', 'ours'] as const;

export type System = (typeof systems)[number];

/** One round of one system. CPU in microseconds a request; times in milliseconds; memory in bytes. */
export interface Sample {
  readonly cpuA: number;
  readonly cpuB: number;
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  /** Until service A listens. */
  readonly ready: number;
  readonly memoryA: number;
  readonly memoryB: number;
}

export interface Load {
  readonly warmUp: number;
  readonly requests: number;
  readonly connections: number;
}

interface Running {
  readonly child: ChildProcess;
  readonly url: string;
  readonly readyMillis: number;
}

const usageSchema = z.object({ cpuMicros: z.number(), memoryBytes: z.number() });
const listeningSchema = z.object({ port: z.number() });
const loadSchema = z.object({
  '2xx': z.number(),
  non2xx: z.number(),
  errors: z.number(),
  duration: z.number(),
  latency: z.object({ p50: z.number(), p99: z.number() }),
});

/** What both instrumented systems get: the same instrumentations, detectors and batches. */
const telemetry = {
  OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http,undici',
  OTEL_NODE_RESOURCE_DETECTORS: 'env,os,process',
  OTEL_METRICS_EXPORTER: 'none',
  OTEL_LOGS_EXPORTER: 'none',
  OTEL_BSP_SCHEDULE_DELAY: '500',
};

/**
 * Starts a system as processes of their own, loads it and stops it.
 * @throws {Error} when a request fails: a system that refuses work is cheap.
 */
export async function runSystem(system: System, load: Load, logLevel: string): Promise<Sample> {
  await using started = new AsyncDisposableStack();
  const start = async (path: string, options: StartOptions = {}) => {
    const running = await startProcess(path, options);
    started.defer(() => stop(running.child));
    return running;
  };
  const receiver = await start('lab/bench/services/drain.ts');
  const spools = await mkdtemp(join(tmpdir(), 'bench-spool-'));
  started.defer(() => rm(spools, { recursive: true }));
  const env = {
    ...telemetry,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    LOG_LEVEL: logLevel,
    // No bound of ours may be met.
    MAX_EVENT_LOOP_DELAY_MS: '10000',
  };
  const startService = (letter: 'a' | 'b', extra: NodeJS.ProcessEnv) => {
    const own = { ...env, OTEL_SERVICE_NAME: `service-${letter}`, ...extra };
    if (system === 'ours') {
      const preload = `./service-${letter}/src/telemetry.ts`;
      const spool = { SPAN_SPOOL_DIR: join(spools, letter) };
      return start(`service-${letter}/src/server.ts`, { env: { ...own, ...spool }, preload });
    }
    const preload = system === 'stock' ? { preload: './lab/bench/services/stock-telemetry.ts' } : {};
    return start(`lab/bench/services/service-${letter}.ts`, { env: own, ...preload });
  };
  const b = await startService('b', {});
  const a = await startService('a', { SERVICE_B_URL: b.url });

  await send(`${a.url}/call-b`, load.warmUp, load.connections);
  const before = [await readUsage(a.child), await readUsage(b.child)] as const;
  const sent = await send(`${a.url}/call-b`, load.requests, load.connections);
  const after = [await readUsage(a.child), await readUsage(b.child)] as const;
  return {
    cpuA: (after[0].cpuMicros - before[0].cpuMicros) / load.requests,
    cpuB: (after[1].cpuMicros - before[1].cpuMicros) / load.requests,
    rate: load.requests / sent.duration,
    p50: sent.latency.p50,
    p99: sent.latency.p99,
    ready: a.readyMillis,
    memoryA: after[0].memoryBytes,
    memoryB: after[1].memoryBytes,
  };
}

interface StartOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly preload?: string;
}

async function startProcess(path: string, { env = {}, preload }: StartOptions): Promise<Running> {
  const begin = performance.now();
  const child = fork(join(root, path), {
    cwd: root,
    env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', ...env },
    execArgv: [
      '--conditions=trace-context-source',
      '--import',
      import.meta.resolve('./report.ts'),
      ...(preload === undefined ? [] : ['--import', preload]),
    ],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  // The log is read to its end, as by a container engine, and not looked at.
  child.stdout?.resume();
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${path} exited with ${code} before it listened`);
  });
  // It ends after each round.
  ended.catch(() => undefined);
  const [message] = await Promise.race([once(child, 'message'), ended]);
  const { port } = listeningSchema.parse(message);
  return { child, url: `http://127.0.0.1:${port}`, readyMillis: performance.now() - begin };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill();
  await once(child, 'exit');
}

async function readUsage(child: ChildProcess): Promise<z.infer<typeof usageSchema>> {
  child.send('usage');
  const [usage] = await once(child, 'message');
  return usageSchema.parse(usage);
}

/** autocannon looks only with each sample whether it has ended; its own second would round the time. */
const sampleMillis = '20';

async function send(url: string, requests: number, connections: number) {
  const amount = ['--amount', `${requests}`, '--connections', `${connections}`];
  const args = [autocannon, '--json', '--sampleInt', sampleMillis, ...amount, url];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 16 * 1024 * 1024 });
  const result = loadSchema.parse(JSON.parse(stdout));
  if (result['2xx'] !== requests || result.errors > 0) {
    throw new Error(
      `${url}: ${result['2xx']} of ${requests} requests answered with 2xx, ${result.errors} errors`,
    );
  }
  return result;
}
