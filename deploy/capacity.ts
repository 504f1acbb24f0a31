/**
 * The capacity plan of README.md. `node scripts/run.mjs deploy/capacity.ts --write` writes its tables; a test computes them again.
 * Each figure is a measurement with its command, or the figure of a named source.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly source: string;
}

const hops = '`npm run bench -- hops`';
const jaegerBenchmark =
  "[Jaeger's benchmark of its ClickHouse storage](https://github.com/jaegertracing/jaeger/blob/main/internal/storage/v2/clickhouse/BENCHMARKING.md)";

/** Measured figures and figures of other sources. */
const figures = {
  exporterCpu: figure('exporter in a service', 17.8, 'µs of CPU a span', '`npm run bench -- delivery`'),
  agentCpu: figure('agent', 7.4, 'µs of CPU a span', hops),
  gatewayCpu: figure('gateway', 47.9, 'µs of CPU a span', hops),
  jaegerCpu: figure('Jaeger without its storage', 7.5, 'µs of CPU a span', hops),
  sinkRate: figure('sink', 113_065, 'spans a CPU second', '`npm run bench -- sink`'),
  heldBytes: figure('span that a sink holds', 287, 'bytes', '`npm run bench -- sink --rate 0`'),
  clickhouseRate: figure('ClickHouse, a server of 8 vCPU', 52_129, 'spans/s', jaegerBenchmark),
  storedBytes: figure(
    'ClickHouse, on disk',
    75.7,
    'bytes a span',
    `${jaegerBenchmark}: 722.09 MiB for 10 million`,
  ),
  wireBytes: figure('OTLP protobuf', 382, 'bytes a span', hops),
  vcpuPrice: figure(
    'one vCPU of m7g.large, us-east-1, on demand',
    0.0408,
    'USD an hour',
    '[EC2 prices of June 2026](https://www.factualminds.com/blog/amazon-ec2-on-demand-pricing-instance-families-2026/), half of 0.0816',
  ),
} as const;

/** Values of the manifests, and values that a team decides. */
export const settings = {
  /** `averageUtilization` of the autoscalers. */
  utilization: 0.7,
  /** `sampling_percentage` of gateway-config.yaml, plus an assumed 2 % of traces with errors or high latency. */
  storedShare: 0.12,
  clickhouseServerVcpus: 8,
  /** CPU limits of a replica in gateway.yaml and jaeger.yaml. The sink's limit is higher, but it runs on one thread. */
  replicaCpus: { gateway: 2, sink: 1, jaeger: 2 },
  retentionDays: 3,
  decisionWaitSeconds: 10,
  /** `--close-after` of the sink (20 s by default), 5 s for exporters, and some seconds until a batch is judged. */
  heldSeconds: 30,
  /** `--memory` of sink.yaml. Above 7 eighths of it the sink closes traces early. */
  sinkMebibytes: 1024,
  sinkCrowdedShare: 0.875,
  nodeVcpus: 64,
  hoursPerMonth: 730,
} as const;

export const rates = [10_000, 1_000_000, 100_000_000] as const;

function figure(name: string, value: number, unit: string, source: string): Figure {
  return { name, value, unit, source };
}

const micro = 1e6;
const secondsPerDay = 86_400;
const tera = 1e12;
const giga = 1e9;

/** Computes the resources for a rate in spans per second. CPUs are vCPUs at the autoscalers' target utilization. */
export function plan(rate: number) {
  const { utilization, storedShare, clickhouseServerVcpus, replicaCpus, decisionWaitSeconds } = settings;
  const stored = rate * storedShare;
  const cpus = (perSecond: number, spans: number) => spans / perSecond / utilization;
  const agent = cpus(micro / figures.agentCpu.value, rate);
  const gateway = cpus(micro / figures.gatewayCpu.value, rate);
  const sink = cpus(figures.sinkRate.value, rate);
  const jaeger = cpus(micro / figures.jaegerCpu.value, stored);
  const clickhouseServers = atLeast(1, stored / figures.clickhouseRate.value / utilization);
  const clickhouse = clickhouseServers * clickhouseServerVcpus;
  const vcpus = agent + gateway + sink + jaeger + clickhouse;
  return {
    exporter: (rate * figures.exporterCpu.value) / micro,
    agent,
    gateway: { cpus: gateway, replicas: atLeast(2, gateway / replicaCpus.gateway) },
    sink: { cpus: sink, replicas: atLeast(2, sink / replicaCpus.sink) },
    /** Memory for held spans in all sinks together. */
    heldBytes: rate * settings.heldSeconds * figures.heldBytes.value,
    jaeger: { cpus: jaeger, replicas: atLeast(2, jaeger / replicaCpus.jaeger) },
    clickhouse: { cpus: clickhouse, servers: clickhouseServers },
    /** Traffic from agents to gateways; every other hop has the same. */
    gigabitsPerSecond: (rate * figures.wireBytes.value * 8) / giga,
    /** Bytes written to the gateways' queues: each span once for the sampler and once for the sink. */
    queueBytesPerSecond: rate * figures.wireBytes.value * 2,
    openSpans: rate * decisionWaitSeconds,
    diskBytes: stored * figures.storedBytes.value * secondsPerDay * settings.retentionDays,
    vcpus,
    nodes: atLeast(1, vcpus / settings.nodeVcpus),
    usdPerMonth: vcpus * figures.vcpuPrice.value * settings.hoursPerMonth,
  };
}

const atLeast = (least: number, count: number) => Math.max(least, Math.ceil(count));

/** The tables of README.md by the names of their marks. */
function renderTables(): ReadonlyMap<string, string> {
  const sources = table(
    ['what', 'figure', 'source'],
    Object.values(figures).map(({ name, value, unit, source }) => [name, `${count(value)} ${unit}`, source]),
  );
  const plans = rates.map((rate) => ({ rate, ...plan(rate) }));
  const row = (name: string, cell: (one: (typeof plans)[number]) => string) => [name, ...plans.map(cell)];
  const sizes = table(
    ['spans/s', ...rates.map((rate) => count(rate))],
    [
      row('exporters, in the services: vCPU', (one) => count(one.exporter)),
      row('agents, on all nodes: vCPU', (one) => count(one.agent)),
      row(
        'gateways: vCPU (replicas of 2)',
        ({ gateway }) => `${count(gateway.cpus)} (${count(gateway.replicas)})`,
      ),
      row('sinks: vCPU (replicas of 1)', ({ sink }) => `${count(sink.cpus)} (${count(sink.replicas)})`),
      row(
        'Jaeger: vCPU (replicas of 2)',
        ({ jaeger }) => `${count(jaeger.cpus)} (${count(jaeger.replicas)})`,
      ),
      row(
        'ClickHouse: vCPU (servers of 8)',
        ({ clickhouse }) => `${count(clickhouse.cpus)} (${count(clickhouse.servers)})`,
      ),
      row('network of each hop: Gbit/s', (one) => count(one.gigabitsPerSecond)),
      row('gateways’ queues: MB/s written', (one) => count(one.queueBytesPerSecond / micro)),
      row('spans that sinks hold: GB', (one) => count(one.heldBytes / giga)),
      row('spans that wait for a decision: million', (one) => count(one.openSpans / micro)),
      row(`ClickHouse, ${settings.retentionDays} days: TB`, (one) => count(one.diskBytes / tera)),
      row('vCPU without the services', (one) => count(one.vcpus)),
      row(`nodes of ${settings.nodeVcpus} vCPU`, (one) => count(one.nodes)),
      row('vCPU, USD a month', (one) => count(one.usdPerMonth)),
    ],
  );
  return new Map([
    ['figures', sources],
    ['plan', sizes],
  ]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Formats with three significant digits, and integers from 100. */
function count(value: number): string {
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return Number(value.toPrecision(value >= 1000 ? 3 : 6)).toLocaleString('en', {
    maximumFractionDigits: value < 0.1 ? 4 : digits,
  });
}

export const readme = fileURLToPath(new URL('README.md', import.meta.url));

/** @returns The text with the tables between their marks. */
export function replaceTables(text: string): string {
  let replaced = text;
  for (const [name, content] of renderTables()) {
    const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
    const from = replaced.indexOf(begin);
    const to = replaced.indexOf(end);
    if (from < 0 || to < 0) throw new Error(`no place for the table ${name}`);
    replaced = `${replaced.slice(0, from)}${begin}\n\n${content}\n\n${replaced.slice(to)}`;
  }
  return replaced;
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] === '--write')
  await writeFile(readme, replaceTables(await readFile(readme, 'utf8')));
