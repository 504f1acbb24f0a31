/** Starts a Collector with the Kubernetes configuration on free ports of this machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findFreePorts } from 'propagation-check/test/free-ports';
import { Document } from 'yaml';
import { readCollectorConfiguration, type Tier } from './collector-configuration.ts';
import { replaceLoadBalancers } from './load-balancer.ts';
import { pathOf } from './tools.ts';

export interface CollectorPlace {
  /** Holds queues, token and configuration. The same folder stands for a restart of the same pod. */
  readonly folder: string;
  /** Addresses of the exporters' hosts, as `127.0.0.1:port`. */
  readonly hosts: Readonly<Partial<Record<'gateway' | 'sink' | 'jaeger', string>>>;
  readonly decisionWait?: string;
}

export interface RunningCollector extends AsyncDisposable {
  readonly process: ChildProcess;
  /** OTLP/HTTP; needs the token. */
  readonly url: string;
  /** OTLP/gRPC of the gateway, as `127.0.0.1:port`. */
  readonly grpc: string;
  readonly metricsUrl: string;
  /** Kills the process, as a machine that fails does. */
  kill(): Promise<void>;
}

export const token = 'a-token';
const pollMs = 20;

export async function startCollector(tier: Tier, place: CollectorPlace): Promise<RunningCollector> {
  const [http, grpc, sampling, health, metrics] = await findFreePorts(5);
  const local = (port: number | undefined) => `127.0.0.1:${port}`;
  const { folder, hosts } = place;
  const config = replaceLoadBalancers(await readCollectorConfiguration(tier), (host) => {
    const address = host === 'gateway' || host === 'sink' ? hosts[host] : undefined;
    if (address === undefined) throw new Error(`no place for ${host}`);
    return address;
  });
  const document = new Document(config);
  document.setIn(['receivers', 'otlp', 'protocols', 'http', 'endpoint'], local(http));
  document.setIn(['extensions', 'health_check', 'endpoint'], local(health));
  document.setIn(
    ['service', 'telemetry', 'metrics', 'readers', 0, 'pull', 'exporter', 'prometheus'],
    document.createNode({ host: '127.0.0.1', port: metrics }),
  );
  if (tier === 'gateway') {
    document.setIn(['receivers', 'otlp', 'protocols', 'grpc', 'endpoint'], local(grpc));
    document.setIn(['receivers', 'otlp/sampling', 'protocols', 'grpc', 'endpoint'], local(sampling));
    document.setIn(['exporters', 'otlp_grpc/sampling', 'endpoint'], local(sampling));
    document.setIn(['exporters', 'otlp_http/jaeger', 'endpoint'], `http://${hosts.jaeger}`);
    if (place.decisionWait !== undefined)
      document.setIn(['processors', 'tail_sampling', 'decision_wait'], place.decisionWait);
  }
  await mkdir(join(folder, 'queue'), { recursive: true });
  await writeFile(join(folder, 'token'), token);
  const file = join(folder, 'config.yaml');
  const text = document
    .toString({ lineWidth: 0 })
    .replaceAll('/run/credentials', folder)
    .replaceAll('/var/lib/otelcol/queue', join(folder, 'queue'));
  await writeFile(file, text);

  const child = spawn(pathOf('otelcol-contrib'), [`--config=${file}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const exit = once(child, 'exit');
  while (!(await isReady(`http://${local(health)}/`))) {
    if (child.exitCode !== null) throw new Error(`the ${tier} ended: ${log}`);
    await delay(pollMs);
  }
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await exit;
  };
  return {
    process: child,
    url: `http://${local(http)}`,
    grpc: local(grpc),
    metricsUrl: `http://${local(metrics)}/metrics`,
    kill: () => end('SIGKILL'),
    [Symbol.asyncDispose]: () => end('SIGKILL'),
  };
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}
