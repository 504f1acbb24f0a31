/**
 * How long `propagation-check run` takes from its request to its end, compared with the time at which the last span could be read. Measured
 * with its own receiver and the demo's services as processes, and on a running stack when `JAEGER_URL` is set.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { loadavg } from 'node:os';
import type { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { parseAnswer, startDemoSystem } from 'demo';
import { openSource, type Source } from 'propagation-check';
import { findFreePort } from 'propagation-check/test/free-ports';
import { listen } from 'service-kit/testing';
import { z } from 'zod';
import { median, quantile } from '../quantile.ts';
import { buildChecker } from './build-checker.ts';

const defaultRuns = '50';
/** Runs that are not measured: in them code is compiled and connections are opened. */
const warmUp = 2;
/** A's SERVER and CLIENT span and B's SERVER span. */
const spansOfCall = 3;
const nameWidth = 28;
const readEveryMs = 10;
const readForMs = 30_000;
/** The export interval. It is shorter than the demo's 500 ms, so that 200 runs take less time. Only the column of the total depends on it. */
const embeddedDelayMs = '100';

/** Times of one run, in milliseconds after its request. */
interface Times {
  /** When the last span of the request could be read. */
  readonly readable: number;
  /** When the verdict was printed. */
  readonly verdict: number;
  /** When the command ended. */
  readonly ended: number;
}

interface Place {
  /** The path of the command line. */
  readonly cli: string;
  readonly name: string;
  readonly url: URL;
  /** For `--source`. */
  readonly source: string;
  /**
   * Called with the answer to the request. The function that it returns is called at the end of the run, and resolves with the time at which
   * the last span of the request could be read, on the clock of `performance.now()`.
   */
  readonly watch: (answer: string) => () => Promise<number>;
  readonly expectedExitCode: 0 | 1;
  /** Targets for the medians, in milliseconds. */
  readonly targets: { readonly afterReadable: number; readonly total: number | null };
}

/** Prints the tables. */
export async function benchVerdict(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: { runs: { type: 'string', default: defaultRuns } },
  });
  const runs = Number(values.runs);
  const cli = buildChecker();
  console.log(
    `${runs} runs each of \`run URL --expect "service-a -> service-b"\`, milliseconds from its request; load ${load()}`,
  );
  const columns = ['last span readable', 'verdict after it', 'verdict', 'command ended'];
  console.log(' '.repeat(nameWidth) + columns.map((column) => column.padStart(20)).join(''));
  console.log(' '.repeat(nameWidth) + '    median       p95'.repeat(columns.length));
  await benchEmbedded(cli, null, runs);
  await benchEmbedded(cli, 'strip-traceparent', runs);
  if (process.env.JAEGER_URL !== undefined) await benchStack(cli, process.env.JAEGER_URL, runs);
  else console.log('on the stack: name it with JAEGER_URL and SERVICE_A_URL, and its fault with FAULT');
}

async function benchEmbedded(cli: string, fault: string | null, runs: number): Promise<void> {
  const port = await findFreePort();
  let arrivedAt = 0;
  await using wire = await tapWire(port, (at) => {
    arrivedAt = at;
  });
  const own = { OTEL_EXPORTER_OTLP_ENDPOINT: wire.origin, OTEL_BSP_SCHEDULE_DELAY: embeddedDelayMs };
  const system = await startDemoSystem({
    mode: 'auto',
    fault,
    env: process.env,
    own: { 'service-a': own, 'service-b': own },
    signal: new AbortController().signal,
  });
  try {
    await measure(runs, {
      cli,
      name: fault === null ? 'embedded, healthy' : `embedded, ${fault}`,
      url: new URL('/call-b', system.serviceA.url),
      source: `otlp=127.0.0.1:${port}`,
      watch: () => async () => arrivedAt,
      expectedExitCode: fault === null ? 0 : 1,
      targets: { afterReadable: 20, total: null },
    });
  } finally {
    await system.close();
  }
}

async function benchStack(cli: string, jaeger: string, runs: number): Promise<void> {
  const spec = `jaeger=${jaeger}`;
  const source = await openSource(spec);
  const fault = process.env.FAULT ?? '';
  try {
    await measure(runs, {
      cli,
      name: fault === '' ? 'stack, healthy' : `stack, ${fault}`,
      url: new URL('/call-b', process.env.SERVICE_A_URL ?? 'http://localhost:8081'),
      source: spec,
      watch: (answer) => {
        const readable = waitInSource(source, answer);
        // Awaited at the end of the run.
        readable.catch(() => undefined);
        return () => readable;
      },
      expectedExitCode: fault === '' ? 0 : 1,
      targets: { afterReadable: 60, total: 400 },
    });
    await benchTrace(cli, source, spec, runs);
  } finally {
    await source.close();
  }
}

/** Measures how long `trace ID` runs for a trace that has just become readable. */
async function benchTrace(cli: string, source: Source, spec: string, runs: number): Promise<void> {
  const url = new URL('/call-b', process.env.SERVICE_A_URL ?? 'http://localhost:8081');
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const answer = await (await fetch(url)).text();
    await waitInSource(source, answer);
    const { service_a_trace_id: id } = parseAnswer(answer);
    if (id === null) throw new Error(`no trace id in ${answer}`);
    const start = performance.now();
    const child = spawnCli(cli, ['trace', id, '--source', spec, '--json']);
    const [printed] = await Promise.all([text(child.stdout), once(child, 'close')]);
    times.push(performance.now() - start);
    resultShape.parse(JSON.parse(printed));
  }
  const [median, p95] = quantiles(times).map((ms) => ms.toFixed(0));
  console.log(
    `trace ID of a young trace, start to end: median ${median}, p95 ${p95} (7,700 before issue 10)`,
  );
}

function spawnCli(cli: string, args: readonly string[]): ChildProcessByStdio<null, Readable, null> {
  return spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function waitInSource(source: Source, answer: string): Promise<number> {
  const { service_a_trace_id: a, service_b_trace_id: b } = parseAnswer(answer);
  const ids = new Set([a, b].filter((id) => id !== null));
  const deadline = performance.now() + readForMs;
  while (performance.now() < deadline) {
    const traces = await Promise.all([...ids].map((id) => source.readTrace(id)));
    if (traces.flat().length >= spansOfCall) return performance.now();
    await delay(readEveryMs);
  }
  throw new Error(
    `${source.name} has no ${spansOfCall} spans of ${[...ids].join(', ')} after ${readForMs} ms`,
  );
}

async function measure(runs: number, place: Place): Promise<void> {
  const times: Times[] = [];
  for (let run = -warmUp; run < runs; run += 1) {
    const measured = await runOnce(place);
    if (run >= 0) times.push(measured);
  }
  const { afterReadable, total } = place.targets;
  const after = quantiles(times.map(({ verdict, readable }) => verdict - readable));
  const whole = quantiles(times.map(({ verdict }) => verdict));
  const cells = [
    ...quantiles(times.map(({ readable }) => readable)),
    ...after,
    ...whole,
    ...quantiles(times.map(({ ended }) => ended)),
  ];
  const notes = [
    `≤ ${afterReadable} after it: ${after[0] <= afterReadable ? 'met' : 'missed'}`,
    ...(total === null ? [] : [`≤ ${total} in all: ${whole[0] <= total ? 'met' : 'missed'}`]),
  ];
  console.log(
    `${place.name.padEnd(nameWidth)}${cells.map((ms) => ms.toFixed(0).padStart(10)).join('')}   ${notes.join(', ')}`,
  );
}

/** The command sends its request through a relay in this process, which records its time and its answer. */
async function runOnce(place: Place): Promise<Times> {
  const seen: { requestedAt: number; readLastSpan: (() => Promise<number>) | null } = {
    requestedAt: 0,
    readLastSpan: null,
  };
  using front = await listen(async (request, response) => {
    seen.requestedAt = performance.now();
    const answer = await relay(place.url, request, await buffer(request));
    response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body);
    seen.readLastSpan = place.watch(answer.body.toString());
  });
  const args = [
    'run',
    new URL(place.url.pathname, front.url).href,
    '--source',
    place.source,
    '--expect',
    'service-a -> service-b',
    '--json',
  ];
  const child = spawnCli(place.cli, args);
  let printedAt = 0;
  child.stdout.on('data', () => {
    printedAt = performance.now();
  });
  const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  const endedAt = performance.now();
  if (code !== place.expectedExitCode)
    throw new Error(`${place.name}: the command ended with ${code}: ${printed}`);
  const { verdict } = resultShape.parse(JSON.parse(printed));
  if (verdict !== (code === 0 ? 'intact' : 'broken')) throw new Error(`${place.name}: ${verdict}`);
  if (seen.readLastSpan === null) throw new Error(`${place.name}: the command sent no request`);
  const readableAt = await seen.readLastSpan();
  return {
    readable: readableAt - seen.requestedAt,
    verdict: printedAt - seen.requestedAt,
    ended: endedAt - seen.requestedAt,
  };
}

const resultShape = z.object({ verdict: z.string() });

interface Relayed {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

async function relay(url: URL, request: IncomingMessage, sent: Buffer): Promise<Relayed> {
  const {
    host: _,
    connection: __,
    'content-length': ___,
    'transfer-encoding': ____,
    ...kept
  } = request.headers;
  const headers = Object.entries(kept).map(([name, value]): [string, string] => [name, String(value)]);
  const response = await fetch(url, {
    method: request.method ?? 'GET',
    headers,
    body: sent.length === 0 ? null : sent,
  });
  const type = response.headers.get('content-type') ?? 'text/plain';
  return { status: response.status, type, body: Buffer.from(await response.arrayBuffer()) };
}

/**
 * Relays bytes between exporters and the receiver on a port. Between two runs no receiver listens there, and the exporters retry.
 * @param onSent Called when bytes were sent to the receiver, with the time on the clock of `performance.now()`.
 */
async function tapWire(
  port: number,
  onSent: (at: number) => void,
): Promise<{ readonly origin: string } & AsyncDisposable> {
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (exporter) => {
    const receiver = connect({ port, host: '127.0.0.1', noDelay: true });
    for (const [socket, other] of [
      [exporter, receiver],
      [receiver, exporter],
    ] as const) {
      open.add(socket);
      socket.on('data', (chunk) => other.write(chunk));
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        other.destroy();
      });
    }
    exporter.on('data', () => onSent(performance.now()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${readPort(server.address())}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, 'close');
    },
  };
}

function readPort(address: ReturnType<ReturnType<typeof createServer>['address']>): number {
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

function quantiles(values: readonly number[]): readonly [number, number] {
  return [median(values), quantile(values, 0.95)];
}

function load(): string {
  return loadavg()[0]?.toFixed(1) ?? '';
}
