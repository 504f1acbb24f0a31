// `propagation-check sink` on one core. First the intake: a sender sends as fast as it is answered, to the sink and to other receivers in the
// same run. Then SDKs with their exporters send at a fixed rate, and traces close meanwhile: counts must be exact and memory flat.
import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findFreePort } from 'propagation-check/test/free-ports';
import { z } from 'zod';
import { buildChecker } from './build-checker.ts';
import { layRow } from './lay-row.ts';
import { readCpuSeconds } from './read-cpu-seconds.ts';
import type { SendTask, Sent } from './sink/send-task.ts';

/** The intake run sends, without pauses, as many spans as an hour of traffic has at this rate (spans per second). */
const hourRate = 1_000;
const secondsPerHour = 3_600;
const [sinkCore, senderCore] = ['0', '1'];
const sampleMs = 1_000;
/** Share of the run at a fixed rate that is ignored, because memory still grows to its level. */
const warmUpShare = 1 / 3;
const points = 6;
const mebibyte = 1024 * 1024;
const sendFile = fileURLToPath(new URL('sink/send-traffic.ts', import.meta.url));
const bareFile = fileURLToPath(new URL('sink/bare-receiver.ts', import.meta.url));
const hasTaskset = spawnSync('taskset', ['--version']).error === undefined;

/** Prints the table. */
export async function benchSink(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      spans: { type: 'string', default: String(hourRate * secondsPerHour) },
      memory: { type: 'string', default: '2GiB' },
      protocols: { type: 'string', default: 'grpc,http' },
      collector: { type: 'string' },
      rate: { type: 'string', default: '20000' },
      intake: { type: 'boolean', default: true },
    },
    allowNegative: true,
  });
  const [spans, rate] = [Number(values.spans), Number(values.rate)];
  console.log(
    `${spans} spans, as an hour of ${Math.round(spans / secondsPerHour)} spans/s without its pauses, one of 100 edges broken; ` +
      (hasTaskset ? 'receiver on one core, sender on another' : 'not bound to cores: there is no taskset'),
  );
  const cli = buildChecker();
  for (const protocol of values.protocols.split(',')) {
    if (protocol !== 'grpc' && protocol !== 'http') throw new Error(`--protocols ${protocol}: grpc or http`);
    if (values.intake) await printIntake(cli, { protocol, spans, rate: null }, values);
    if (rate > 0) await printFlow(cli, { protocol, spans, rate }, values.memory);
  }
}

type Task = Omit<SendTask, 'url'>;

async function printIntake(
  cli: string,
  task: Task,
  { memory, collector }: { readonly memory: string; readonly collector?: string },
): Promise<void> {
  console.log(`\nOTLP/${task.protocol}, encoded bodies as fast as they are answered`);
  console.log(layRow('', 'spans/s', 'spans/CPU s', 'refused', 'lost', 'early', 'MiB start', 'middle', 'end'));
  if (task.protocol === 'http') await printBare(task);
  if (collector !== undefined) await printCollector(collector, task);
  const { sent, sizes, cpu, early, heldBytes, counts } = await runSink(
    [cli, 'sink', '--memory', memory],
    task,
  );
  console.log(layRow('sink', ...rates(sent, cpu), sent.spans - counts.judged, early, ...tenths(sizes)));
  console.log(`held when all was sent: ${Math.round(heldBytes)} bytes an open span`);
  printCalls(sent, counts);
}

/** Traces then close within 7 s of their end, and exports wait for at most a second, so memory holds only the spans of these seconds. */
const closeAfter = '1s';

async function printFlow(cli: string, task: Task & { readonly rate: number }, memory: string): Promise<void> {
  console.log(
    `\nOTLP/${task.protocol}, 20 SDKs at ${task.rate} spans/s, traces closed ${closeAfter} after their last span`,
  );
  const { sent, sizes, cpu, early, refused, counts, closed } = await runSink(
    [cli, 'sink', '--memory', memory, '--close-after', closeAfter],
    task,
  );
  console.log(layRow('', 'spans', 'seconds', 'spans/s', 'spans/CPU s', 'refused', 'lost', 'early'));
  const seconds = Math.round(sent.milliseconds / 1_000);
  const [perSecond = 0, perCpuSecond = 0] = rates(sent, cpu);
  console.log(
    layRow('sink', sent.spans, seconds, perSecond, perCpuSecond, refused, sent.spans - counts.judged, early),
  );
  console.log(`traces: ${closed} closed while it sent, ${counts.closed - closed} at the end`);
  printCalls(sent, counts);
  const warm = sizes.slice(Math.floor(sizes.length * warmUpShare));
  const atPoints = Array.from({ length: points }, (_, point) => {
    const index = Math.round(((sizes.length - 1) * point) / (points - 1));
    return Math.round((sizes[index] ?? 0) / mebibyte);
  });
  const slope = (findSlope(warm) * 60_000) / sampleMs / mebibyte;
  console.log(
    `MiB resident, ${points} times: ${atPoints.join(', ')}; slope after the first third ${slope.toFixed(1)} MiB a minute, most ${Math.round(Math.max(...sizes) / mebibyte)}`,
  );
}

/** Least squares: the growth of the values from one to the next. */
function findSlope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  let [products, squares] = [0, 0];
  for (const [index, value] of values.entries()) {
    products += (index - middle) * value;
    squares += (index - middle) ** 2;
  }
  return squares === 0 ? 0 : products / squares;
}

function printCalls(sent: Sent, counts: Counts): void {
  const isExact = counts.intact === sent.intact && counts.broken === sent.broken;
  console.log(
    `calls counted: ${counts.intact} intact of ${sent.intact}, ${counts.broken} broken of ${sent.broken}, ${counts.undecided} undecided` +
      (counts.undecided === 0 ? '' : ` (${counts.causes.join(', ')})`) +
      (isExact ? ': exact' : ''),
  );
}

interface SinkRun {
  readonly sent: Sent;
  /** Resident memory in bytes, every `sampleMs`. */
  readonly sizes: readonly number[];
  /** CPU seconds until everything was sent. */
  readonly cpu: number;
  readonly refused: number;
  /** Traces that were judged early because memory was full, and traces that were closed when everything was sent. */
  readonly early: number;
  readonly closed: number;
  /** Bytes for each span that was not judged yet when everything was sent. */
  readonly heldBytes: number;
  /** Counts after the sink has stopped. */
  readonly counts: Counts;
}

/** @param command The path of the command line, the command and its options. */
async function runSink(command: readonly string[], task: Task): Promise<SinkRun> {
  const folder = await mkdtemp(join(tmpdir(), 'sink-'));
  const state = join(folder, 'state.json');
  const child = start(process.execPath, [...command, '--listen', '0', '--metrics', '0', '--state', state]);
  try {
    const [, url = '', metricsUrl = ''] = await waitForLine(child, /listening on (\S+); metrics on (\S+)/);
    const before = await readCpuSeconds(child);
    const { sent, sizes } = await measure(child, { ...task, url });
    const cpu = (await readCpuSeconds(child)) - before;
    const text = await (await fetch(metricsUrl)).text();
    const closed = (reason: string) =>
      Number(new RegExp(`closed_total\\{reason="${reason}"\\} (\\d+)`).exec(text)?.[1]);
    const gauge = (name: string) =>
      Number(new RegExp(`^propagation_sink_${name} (\\d+)`, 'm').exec(text)?.[1]);
    const refused = [...text.matchAll(/exports_refused_total\{reason="\w+"\} (\d+)/g)].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    );
    child.kill('SIGTERM');
    await once(child, 'exit');
    const counts = readCounts(await readFile(state, 'utf8'));
    return {
      sent,
      sizes,
      cpu,
      refused,
      early: closed('memory'),
      closed: closed('memory') + closed('inactive'),
      heldBytes: gauge('held_bytes') / gauge('spans_open'),
      counts,
    };
  } finally {
    // After a failed run the sink is still running.
    child.kill('SIGKILL');
    await rm(folder, { recursive: true });
  }
}

/** Measures the limit of the sender: the receiver reads the bodies and drops them. */
async function printBare(task: Task): Promise<void> {
  const child = start(process.execPath, [bareFile]);
  const [, url = ''] = await waitForLine(child, /listening on (\S+)/);
  await printReceiver('bodies read alone', child, { ...task, url });
}

/** Measures a Collector that accepts and drops: the `otlp` receiver with the `nop` exporter, or with `debug` where it has no `nop`. */
async function printCollector(binary: string, task: Task): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'collector-'));
  const port = await findFreePort();
  const path = join(folder, 'config.yaml');
  const components = spawnSync(binary, ['components'], { encoding: 'utf8' }).stdout;
  const exporter = /name: nop\b/.test(components.slice(components.indexOf('exporters'))) ? 'nop' : 'debug';
  await writeFile(
    path,
    `receivers: { otlp: { protocols: { ${task.protocol}: { endpoint: '127.0.0.1:${port}' } } } }
exporters: { ${exporter}: {} }
service:
  telemetry: { metrics: { level: none }, logs: { level: error } }
  pipelines: { traces: { receivers: [otlp], exporters: [${exporter}] } }
`,
  );
  const child = start(binary, ['--config', path]);
  try {
    while (!(await isOpen(port))) await new Promise(setImmediate);
    await printReceiver(`Collector, ${exporter}`, child, { ...task, url: `http://127.0.0.1:${port}` });
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function printReceiver(name: string, child: ChildProcess, task: SendTask): Promise<void> {
  const before = await readCpuSeconds(child);
  const { sent, sizes } = await measure(child, task);
  const cpu = (await readCpuSeconds(child)) - before;
  child.kill('SIGKILL');
  await once(child, 'exit');
  console.log(layRow(name, ...rates(sent, cpu), '', '', ...tenths(sizes)));
}

function rates({ spans, milliseconds, refused }: Sent, cpuSeconds: number): readonly number[] {
  return [Math.round((spans / milliseconds) * 1_000), Math.round(spans / cpuSeconds), refused];
}

/** Sends everything, and samples the receiver's memory meanwhile. */
async function measure(
  receiver: ChildProcess,
  task: SendTask,
): Promise<{ readonly sent: Sent; readonly sizes: readonly number[] }> {
  const sender = hasTaskset
    ? spawn('taskset', ['-c', senderCore, process.execPath, '--conditions=trace-context-source', sendFile], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      })
    : fork(sendFile, { execArgv: ['--conditions=trace-context-source'] });
  await once(sender, 'message');
  const sizes: number[] = [];
  const sampling = setInterval(() => void readMemory(receiver).then((size) => sizes.push(size)), sampleMs);
  sender.send(task);
  const [sent] = await Promise.race([
    once(sender, 'message'),
    once(sender, 'exit').then((): Sent[] => []),
  ]).finally(() => clearInterval(sampling));
  if (sent === undefined) throw new Error('the sender ended before it had sent everything');
  return { sent, sizes };
}

/** The largest value, in MiB, in the first tenth, the tenth from the middle on, and the last tenth of the samples. */
function tenths(sizes: readonly number[]): readonly number[] {
  const part = Math.max(1, Math.floor(sizes.length / 10));
  const most = (from: number) => Math.round(Math.max(...sizes.slice(from, from + part)) / mebibyte);
  return [most(0), most(Math.floor(sizes.length / 2)), most(sizes.length - part)];
}

function start(command: string, args: readonly string[]): ChildProcess {
  const stdio = ['ignore', 'ignore', 'pipe'] as const;
  return hasTaskset
    ? spawn('taskset', ['-c', sinkCore, command, ...args], { stdio: [...stdio] })
    : spawn(command, args, { stdio: [...stdio] });
}

async function waitForLine(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  if (child.stderr === null) throw new Error('the receiver has no standard error');
  for await (const line of createInterface(child.stderr)) {
    const found = pattern.exec(line);
    if (found !== null) return found;
  }
  throw new Error('the receiver did not say where it listens');
}

async function readMemory({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

const stateSchema = z.object({
  totals: z.object({ judged: z.number(), closed: z.record(z.string(), z.number()) }),
  edges: z.array(z.object({ verdict: z.string(), cause: z.string(), calls: z.number() })),
});

type Counts = ReturnType<typeof readCounts>;

function readCounts(text: string) {
  const { totals, edges } = stateSchema.parse(JSON.parse(text));
  const sum = (verdict: string) =>
    edges.filter((edge) => edge.verdict === verdict).reduce((total, { calls }) => total + calls, 0);
  return {
    judged: totals.judged,
    closed: Object.values(totals.closed).reduce((total, count) => total + count, 0),
    intact: sum('intact'),
    broken: sum('broken'),
    undecided: sum('undecided'),
    causes: [...new Set(edges.flatMap(({ verdict, cause }) => (verdict === 'undecided' ? [cause] : [])))],
  };
}

async function isOpen(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}`).then(
    () => true,
    (error: unknown) => error instanceof Error && !/ECONNREFUSED/.test(String(error.cause)),
  );
}
