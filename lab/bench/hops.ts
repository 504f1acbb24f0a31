// CPU time per span of the hops on Kubernetes: agent and gateway with their Kubernetes configuration, Jaeger with storage in memory.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { mapConcurrently } from 'propagation-check/kit';
import { findFreePorts } from 'propagation-check/test/free-ports';
import { Document, parse } from 'yaml';
import { startCollector, token } from '../deploy/start-collector.ts';
import { obstacle, pathOf, root } from '../deploy/tools.ts';
import { encodeRequests } from './engine/receiver.ts';
import { openGrpc, openHttp } from './open-exporter.ts';
import { readCpuSeconds } from './read-cpu-seconds.ts';

const spans = 200_000;
const sendersAtOnce = 4;
const pollMs = 200;
/** Wait after the last batch, until the sampler has decided and the sampled traces have been exported. */
const settleMs = 5_000;

/** Prints the table. */
export async function benchHops(): Promise<void> {
  if (obstacle !== null) throw new Error(obstacle);
  const folder = await mkdtemp(join(tmpdir(), 'hops-'));
  try {
    const bodies = await encodeRequests('http/protobuf', folder, spans);
    const bytes = bodies.reduce((sum, { length }) => sum + length, 0);
    console.log(
      `${spans} spans of ${Math.round(bytes / spans)} bytes, ${Math.round(spans / bodies.length)} a request`,
    );
    console.log('| hop | µs of CPU a span | spans/CPU s |\n|---|---|---|');
    await using drain = await startDrain(folder);
    const hosts = { gateway: drain.host, sink: drain.host, jaeger: drain.httpHost };
    {
      await using agent = await startCollector('agent', { folder: join(folder, 'agent'), hosts });
      await using sender = openHttp(agent.url, 'http/protobuf', sendersAtOnce, {
        authorization: `Bearer ${token}`,
      });
      print('agent', await measure(agent.process, () => mapConcurrently(bodies, sendersAtOnce, sender.send)));
    }
    {
      const place = { folder: join(folder, 'gateway'), hosts, decisionWait: '1s' };
      await using gateway = await startCollector('gateway', place);
      await using sender = openGrpc(`http://${gateway.grpc}`);
      const seconds = await measure(gateway.process, async () => {
        await mapConcurrently(bodies, sendersAtOnce, sender.send);
        while (!(await isDelivered(gateway.metricsUrl))) await delay(pollMs);
        await delay(settleMs);
      });
      print('gateway', seconds);
    }
    {
      await using jaeger = await startJaeger(folder);
      await using sender = openHttp(jaeger.url, 'http/protobuf', sendersAtOnce);
      print(
        'Jaeger',
        await measure(jaeger.process, () => mapConcurrently(bodies, sendersAtOnce, sender.send)),
      );
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

function print(hop: string, cpuSeconds: number): void {
  const micros = ((cpuSeconds / spans) * 1e6).toFixed(1);
  console.log(`| ${hop} | ${micros} | ${Math.round(spans / cpuSeconds)} |`);
}

async function measure(process: ChildProcess, run: () => Promise<unknown>): Promise<number> {
  const before = await readCpuSeconds(process);
  await run();
  return (await readCpuSeconds(process)) - before;
}

/** Whether sink and sampler have every span. */
async function isDelivered(metricsUrl: string): Promise<boolean> {
  const text = await (await fetch(metricsUrl)).text();
  const sent = (exporter: string) =>
    Number(
      new RegExp(`otelcol_exporter_sent_spans\\w*\\{[^}]*exporter="${exporter}"[^}]*\\} (\\S+)`).exec(
        text,
      )?.[1] ?? 0,
    );
  return sent('otlp_grpc/sink') >= spans && sent('otlp_grpc/sampling') >= spans;
}

/** Starts a Collector that accepts spans and drops them. */
async function startDrain(folder: string) {
  const [grpc, http, health] = await findFreePorts(3);
  const file = join(folder, 'drain.yaml');
  const local = (port: number | undefined) => `127.0.0.1:${port}`;
  const config = {
    receivers: {
      otlp: {
        protocols: {
          grpc: { endpoint: local(grpc), max_recv_msg_size_mib: 16 },
          http: { endpoint: local(http) },
        },
      },
    },
    exporters: { nop: {} },
    extensions: { health_check: { endpoint: local(health) } },
    service: {
      extensions: ['health_check'],
      pipelines: { traces: { receivers: ['otlp'], exporters: ['nop'] } },
      telemetry: { metrics: { level: 'none' } },
    },
  };
  await writeFile(file, new Document(config).toString());
  const running = await start('otelcol-contrib', file, `http://${local(health)}/`);
  return { ...running, host: local(grpc), httpHost: local(http) };
}

async function startJaeger(folder: string) {
  const [http, ui, grpc, health, metrics] = await findFreePorts(5);
  const file = join(folder, 'jaeger.yaml');
  const local = (port: number | undefined) => `127.0.0.1:${port}`;
  const document = new Document(
    parse(await readFile(join(root, 'deploy/kubernetes/base/jaeger-config.yaml'), 'utf8')),
  );
  document.setIn(['receivers', 'otlp', 'protocols', 'http', 'endpoint'], local(http));
  const storage = { clickhouse: { memory: { max_traces: spans } } };
  document.setIn(['extensions', 'jaeger_storage', 'backends'], document.createNode(storage));
  document.setIn(['extensions', 'jaeger_query', 'http', 'endpoint'], local(ui));
  document.setIn(['extensions', 'jaeger_query', 'grpc', 'endpoint'], local(grpc));
  document.setIn(['extensions', 'healthcheckv2', 'http', 'endpoint'], local(health));
  const reader = ['service', 'telemetry', 'metrics', 'readers', 0, 'pull', 'exporter', 'prometheus'];
  document.setIn(reader, document.createNode({ host: '127.0.0.1', port: metrics }));
  await writeFile(file, document.toString());
  return { ...(await start('jaeger', file, `http://${local(health)}/status`)), url: `http://${local(http)}` };
}

async function start(tool: 'jaeger' | 'otelcol-contrib', file: string, healthUrl: string) {
  const process = spawn(pathOf(tool), [`--config=${file}`], { stdio: 'ignore' });
  const exit = once(process, 'exit');
  while (
    !(await fetch(healthUrl).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (process.exitCode !== null) throw new Error(`${tool} ended: ${file}`);
    await delay(pollMs);
  }
  return {
    process,
    [Symbol.asyncDispose]: async () => {
      process.kill('SIGKILL');
      await exit;
    },
  };
}
