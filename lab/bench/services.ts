/** Cost of a service: bare Fastify, stock OpenTelemetry and the demo's services, interleaved. */
import { loadavg } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { median } from '../quantile.ts';
import { runSystem, type Sample, type System, systems } from './services/run-system.ts';

interface Target {
  readonly label: string;
  readonly read: (sample: Sample) => number;
  readonly unit: string;
  readonly digits: number;
  /** `ratio`: ours divided by stock; `value`: ours alone. */
  readonly target?: { readonly of: 'ratio' | 'value'; readonly bound: number; readonly isAtMost: boolean };
}

const mebi = 1024 * 1024;
const rows: readonly Target[] = [
  { label: 'CPU a request, A', read: (s) => s.cpuA, unit: 'µs', digits: 0, target: atMost('ratio', 1.1) },
  { label: 'CPU a request, B', read: (s) => s.cpuB, unit: 'µs', digits: 0, target: atMost('ratio', 1.1) },
  {
    label: 'requests/s',
    read: (s) => s.rate,
    unit: '',
    digits: 0,
    target: { of: 'ratio', bound: 0.95, isAtMost: false },
  },
  { label: 'p50', read: (s) => s.p50, unit: 'ms', digits: 1 },
  { label: 'p99', read: (s) => s.p99, unit: 'ms', digits: 1 },
  { label: 'ready to listen', read: (s) => s.ready, unit: 'ms', digits: 0, target: atMost('value', 600) },
  { label: 'memory, A', read: (s) => s.memoryA / mebi, unit: 'MiB', digits: 0 },
  { label: 'memory, B', read: (s) => s.memoryB / mebi, unit: 'MiB', digits: 0 },
];

function atMost(of: 'ratio' | 'value', bound: number): NonNullable<Target['target']> {
  return { of, bound, isAtMost: true };
}

export async function benchServices(argv: readonly string[]): Promise<void> {
  const command = new Command('bench services')
    .description(
      'Bare Fastify, stock OpenTelemetry and the demo’s services: A calls B over loopback, interleaved.',
    )
    .addOption(new Option('--rounds <n>', 'rounds of all three').default(5).argParser(parseCount))
    .addOption(new Option('--requests <n>', 'measured requests a round').default(6_000).argParser(parseCount))
    .addOption(new Option('--connections <n>', 'connections to A').default(16).argParser(parseCount))
    .addOption(new Option('--log-level <level>', 'of all services').default('info').choices(['info', 'warn']))
    .parse([...argv], { from: 'user' });
  const { rounds, requests, connections, logLevel } = command.opts<{
    rounds: number;
    requests: number;
    connections: number;
    logLevel: string;
  }>();
  const load = { warmUp: Math.ceil(requests / 2), requests, connections };

  const samples: Record<System, Sample[]> = { bare: [], stock: [], ours: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const system of systems) samples[system].push(await runSystem(system, load, logLevel));
    process.stderr.write(`round ${round + 1} of ${rounds}\n`);
  }
  console.log(
    `${rounds} rounds, ${requests} requests each over ${connections} connections, log level ${logLevel}; medians; load ${loadavg()[0]?.toFixed(1)}`,
  );
  console.log(
    `${''.padEnd(18)}${['bare', 'stock', 'ours', 'ours/stock', '(min–max)', 'target'].map((h) => h.padStart(13)).join('')}`,
  );
  for (const row of rows) console.log(renderRow(row, samples));
}

function renderRow(row: Target, samples: Record<System, readonly Sample[]>): string {
  const { label, read, unit, digits, target } = row;
  const values = systems.map((system) => median(samples[system].map(read)));
  // The ratio is taken for each round, so that a slow moment of the machine affects both systems.
  const ratios = samples.ours.map((sample, round) => {
    const stock = samples.stock[round];
    return stock === undefined ? Number.NaN : read(sample) / read(stock);
  });
  const columns = [
    ...values.map((value) => `${value.toFixed(digits)}${unit === '' ? '' : ` ${unit}`}`),
    median(ratios).toFixed(2),
    `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
    target === undefined
      ? ''
      : renderTarget(target, target.of === 'ratio' ? median(ratios) : (values[2] ?? Number.NaN), unit),
  ];
  return label.padEnd(18) + columns.map((column) => column.padStart(13)).join('');
}

function renderTarget(
  { of, bound, isAtMost }: NonNullable<Target['target']>,
  value: number,
  unit: string,
): string {
  const isMet = isAtMost ? value <= bound : value >= bound;
  const shown = of === 'ratio' ? bound.toFixed(2) : `${bound} ${unit}`;
  return `${isAtMost ? '≤' : '≥'} ${shown} ${isMet ? 'met' : 'missed'}`;
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('must be a number from 1 to 9999999');
  return Number(text);
}
