// `propagation-check sink` on one core under a sender that sends as fast as it is answered: spans/s at none lost, and memory, against other
// receivers under the same sender in the same run.
import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { SendTask, Sent } from './sink/send-traffic.ts';

/** Spans per second of the hour of traffic that is sent without pauses. */
const hourRate = 1_000;
const secondsPerHour = 3_600;
const [sinkCore, senderCore] = ['0', '1'];
const sampleMs = 1_000;
const mebibyte = 1024 * 1024;
const cli = fileURLToPath(new URL('../../packages/propagation-check/src/cli.ts', import.meta.url));
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
    },
  });
  const spans = Number(values.spans);
  console.log(
    `${spans} spans, as an hour of ${Math.round(spans / secondsPerHour)} spans/s without its pauses, one of 100 edges broken; ` +
      (hasTaskset ? 'receiver on one core, sender on another' : 'not bound to cores: there is no taskset'),
  );
  for (const protocol of values.protocols.split(',')) {
    if (protocol !== 'grpc' && protocol !== 'http') throw new Error(`--protocols ${protocol}: grpc or http`);
    const task = { protocol, spans } as const;
    console.log(`\nOTLP/${protocol}`);
    console.log(row('', 'spans/s', 'spans/CPU s', 'refused', 'lost', 'early', 'MiB start', 'middle', 'end'));
    if (protocol === 'http') await printBare(task);
    if (values.collector !== undefined) await printCollector(values.collector, task);
    await printSink(values.memory, task);
  }
}

type Task = Omit<SendTask, 'url'>;

async function printSink(memory: string, task: Task): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sink-'));
  const state = join(folder, 'state.json');
  try {
    const args = ['--conditions=trace-context-source', cli, 'sink', '--listen', '0', '--metrics', '0'];
    const child = start(process.execPath, [...args, '--memory', memory, '--state', state]);
    const [, url = '', metricsUrl = ''] = await waitForLine(child, /listening on (\S+); metrics on (\S+)/);
    const before = readCpu(child);
    const { sent, memory: sizes } = await measure(child, { ...task, url });
    const cpu = readCpu(child) - before;
    const text = await (await fetch(metricsUrl)).text();
    const early = Number(/closed_total\{reason="memory"\} (\d+)/.exec(text)?.[1]);
    child.kill('SIGTERM');
    await once(child, 'exit');
    const counts = readCounts(await readFile(state, 'utf8'));
    console.log(row('sink', ...rates(sent, cpu), sent.spans - counts.judged, early, ...sizes));
    const isExact = counts.intact === sent.intact && counts.broken === sent.broken;
    console.log(
      `calls counted: ${counts.intact} intact of ${sent.intact}, ${counts.broken} broken of ${sent.broken}, ${counts.undecided} undecided` +
        (isExact ? ': exact' : ''),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The limit of the sender: bodies are read and dropped. */
async function printBare(task: Task): Promise<void> {
  const child = start(process.execPath, [bareFile]);
  const [, url = ''] = await waitForLine(child, /listening on (\S+)/);
  await printReceiver('bodies read alone', child, { ...task, url });
}

/** A Collector that takes and drops: the `otlp` receiver and the `nop` exporter, or `debug` where it has no other. */
async function printCollector(binary: string, task: Task): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'collector-'));
  const port = await findPort();
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
  const before = readCpu(child);
  const { sent, memory } = await measure(child, task);
  const cpu = readCpu(child) - before;
  child.kill('SIGKILL');
  await once(child, 'exit');
  console.log(row(name, ...rates(sent, cpu), '', '', ...memory));
}

function rates({ spans, milliseconds, refused }: Sent, cpuSeconds: number): readonly (string | number)[] {
  return [Math.round((spans / milliseconds) * 1_000), Math.round(spans / cpuSeconds), refused];
}

/** Sends everything, and looks at the receiver's memory meanwhile: of the first, the middle and the last tenth the most, without the start. */
async function measure(
  receiver: ChildProcess,
  task: SendTask,
): Promise<{ readonly sent: Sent; readonly memory: readonly number[] }> {
  const sender = hasTaskset
    ? spawn('taskset', ['-c', senderCore, process.execPath, '--conditions=trace-context-source', sendFile], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      })
    : fork(sendFile, { execArgv: ['--conditions=trace-context-source'] });
  await once(sender, 'message');
  const sizes: number[] = [];
  const sampling = setInterval(() => void readMemory(receiver).then((size) => sizes.push(size)), sampleMs);
  sender.send(task);
  const [sent]: Sent[] = await once(sender, 'message');
  clearInterval(sampling);
  if (sent === undefined) throw new Error('the sender gave nothing');
  const part = Math.max(1, Math.floor(sizes.length / 10));
  const most = (from: number) => Math.round(Math.max(...sizes.slice(from, from + part)) / mebibyte);
  // Memory is full of open traces when the first of them are judged.
  return { sent, memory: [most(0), most(Math.floor(sizes.length / 2)), most(sizes.length - part)] };
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

const ticksPerSecond = 100;

/** CPU time of all threads, in seconds. Linux. */
function readCpu({ pid }: ChildProcess): number {
  const stat = spawnSync('cat', [`/proc/${pid}/stat`], { encoding: 'utf8' }).stdout;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

async function readMemory({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

const stateSchema = z.object({
  totals: z.object({ judged: z.number() }),
  edges: z.array(z.object({ verdict: z.string(), calls: z.number() })),
});

function readCounts(text: string) {
  const { totals, edges } = stateSchema.parse(JSON.parse(text));
  const sum = (verdict: string) =>
    edges.filter((edge) => edge.verdict === verdict).reduce((total, { calls }) => total + calls, 0);
  return {
    judged: totals.judged,
    intact: sum('intact'),
    broken: sum('broken'),
    undecided: sum('undecided'),
  };
}

async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function isOpen(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}`).then(
    () => true,
    (error: unknown) => error instanceof Error && !/ECONNREFUSED/.test(String(error.cause)),
  );
}

function row(name: string, ...cells: readonly (string | number)[]): string {
  return name.padEnd(20) + cells.map((cell) => String(cell).padStart(12)).join('');
}
