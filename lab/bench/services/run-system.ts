import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type ServiceProcess, startService } from 'demo';
import { z } from 'zod';

const root = join(import.meta.dirname, '..', '..', '..');
const autocannon = createRequire(import.meta.url).resolve('autocannon');

export const systems = ['bare', 'stock', 'ours'] as const;

export type System = (typeof systems)[number];

/** One round of one system. CPU in microseconds per request; times in milliseconds; memory in bytes. */
export interface Sample {
  readonly cpuA: number;
  readonly cpuB: number;
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  /** Time until service A listens. */
  readonly ready: number;
  readonly memoryA: number;
  readonly memoryB: number;
}

export interface Load {
  readonly warmUp: number;
  readonly requests: number;
  readonly connections: number;
}

const usageSchema = z.object({ cpuMicros: z.number(), memoryBytes: z.number() });
const loadSchema = z.object({
  '2xx': z.number(),
  non2xx: z.number(),
  errors: z.number(),
  duration: z.number(),
  latency: z.object({ p50: z.number(), p99: z.number() }),
});

/** Both instrumented systems have the same instrumentations, detectors and batches. */
const telemetry = {
  OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http,undici',
  OTEL_NODE_RESOURCE_DETECTORS: 'env,os,process',
  OTEL_METRICS_EXPORTER: 'none',
  OTEL_LOGS_EXPORTER: 'none',
  OTEL_BSP_SCHEDULE_DELAY: '200',
};

/**
 * Starts the services of a system as processes, sends the load and stops them.
 * @throws {Error} when a request fails: refused requests would make a system look cheap.
 */
export async function runSystem(system: System, load: Load, logLevel: string): Promise<Sample> {
  await using started = new AsyncDisposableStack();
  const signal = new AbortController().signal;
  const start = async (name: string, entry: string, env: NodeJS.ProcessEnv, telemetry: readonly string[]) => {
    const preload = [import.meta.resolve('./report.ts'), ...telemetry];
    const own = { PATH: process.env.PATH, ...env };
    const service = await startService({ name, directory: root, entry, env: own, preload, signal });
    started.defer(() => service.stop());
    return service;
  };
  const receiver = await start('receiver', 'lab/bench/services/drain.ts', {}, []);
  const spools = await mkdtemp(join(tmpdir(), 'bench-spool-'));
  started.defer(() => rm(spools, { recursive: true }));
  const env = {
    ...telemetry,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url.origin,
    LOG_LEVEL: logLevel,
    // No request may reach the services' own limits.
    MAX_EVENT_LOOP_DELAY_MS: '10000',
  };
  const startOne = (name: 'service-a' | 'service-b', extra: NodeJS.ProcessEnv) => {
    const own = { ...env, OTEL_SERVICE_NAME: name, ...extra };
    if (system === 'ours') {
      const spool = { SPAN_SPOOL_DIR: join(spools, name) };
      return start(name, `${name}/src/server.ts`, { ...own, ...spool }, [`./${name}/src/telemetry.ts`]);
    }
    const telemetry = system === 'stock' ? ['./lab/bench/services/stock-telemetry.ts'] : [];
    return start(name, `lab/bench/services/${name}.ts`, own, telemetry);
  };
  const b = await startOne('service-b', {});
  const begin = performance.now();
  const a = await startOne('service-a', { SERVICE_B_URL: b.url.origin });
  const ready = performance.now() - begin;

  const target = new URL('/call-b', a.url).href;
  await send(target, load.warmUp, load.connections);
  const before = [await readUsage(a), await readUsage(b)] as const;
  const sent = await send(target, load.requests, load.connections);
  const after = [await readUsage(a), await readUsage(b)] as const;
  return {
    cpuA: (after[0].cpuMicros - before[0].cpuMicros) / load.requests,
    cpuB: (after[1].cpuMicros - before[1].cpuMicros) / load.requests,
    rate: load.requests / sent.duration,
    p50: sent.latency.p50,
    p99: sent.latency.p99,
    ready,
    memoryA: after[0].memoryBytes,
    memoryB: after[1].memoryBytes,
  };
}

async function readUsage({ process: child }: ServiceProcess): Promise<z.infer<typeof usageSchema>> {
  child.send('usage');
  const [usage] = await once(child, 'message');
  return usageSchema.parse(usage);
}

/** autocannon checks only at each sample whether the run is over. Its default of one second would round the time. */
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
