import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Service {
  readonly http1: string;
  readonly http2: string;
  stop(): void;
}

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Starts one service that exports to `endpoint`. */
export async function startService(name: string, endpoint: string): Promise<Service> {
  const child = spawn(process.execPath, ['--import', file('telemetry.ts'), file('service.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      OTEL_SERVICE_NAME: name,
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
      OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http',
      OTEL_NODE_RESOURCE_DETECTORS: 'env,host,os,process',
      OTEL_SEMCONV_STABILITY_OPT_IN: 'http',
    },
  });
  const ports: unknown = JSON.parse(await readLine(child));
  if (!Array.isArray(ports)) throw new Error(`${name}: no ports`);
  const [one, two] = ports.map((port) => `http://127.0.0.1:${port}`);
  if (one === undefined || two === undefined) throw new Error(`${name}: no ports`);
  return { http1: one, http2: two, stop: () => void child.kill() };
}

async function readLine({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('no output');
  // Rejects when the service exits before it prints its ports.
  const ended = once(stdout, 'end').then(() => Promise.reject(new Error('the service ended')));
  const [chunk] = await Promise.race([once(stdout.setEncoding('utf8'), 'data'), ended]);
  ended.catch(() => undefined);
  return String(chunk);
}
