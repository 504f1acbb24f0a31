// Cost of `propagation-check tap` for a request: requests with and without the tap alternate, on loopback.
// Caller, tap and target are separate processes, each with one keep-alive connection to the next.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { Agent, createServer, get, type IncomingMessage } from 'node:http';
import { devNull } from 'node:os';
import { fileURLToPath } from 'node:url';
import { startTap } from 'propagation-check';
import { quantile } from '../quantile.ts';

const warmUp = 2_000;
const rounds = 10_000;
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

async function serveTarget(): Promise<string> {
  const body = JSON.stringify({ service: 'service-b', baggage: { hello: 'world' } });
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
  });
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the target has no port');
  return `http://127.0.0.1:${address.port}`;
}

/** The tap writes its records, as in use, but to the null device. */
async function serveTap(target: string): Promise<string> {
  const out = createWriteStream(devNull);
  const tap = await startTap({
    listen: { port: 0 },
    target,
    onRecord: (record) => out.write(`${JSON.stringify(record)}\n`),
  });
  return tap.url;
}

async function startProcess(role: string, ...args: readonly string[]): Promise<string> {
  const child = fork(fileURLToPath(import.meta.url), [role, ...args]);
  child.unref();
  process.once('exit', () => child.kill());
  const [url] = await once(child, 'message');
  return String(url);
}

/** Milliseconds from the call until the whole answer is there. */
async function timeRequest(url: string, agent: Agent): Promise<number> {
  const start = performance.now();
  const request = get(url, { agent, headers: { traceparent, baggage: 'hello=world' } });
  const [answer]: IncomingMessage[] = await once(request, 'response');
  if (answer?.statusCode !== 200) throw new Error(`${url} answered ${answer?.statusCode}`);
  answer.resume();
  await once(answer, 'end');
  return performance.now() - start;
}

/** Prints the table. Ends the process. */
export async function benchTap(): Promise<void> {
  const direct = await startProcess('target');
  const tapped = await startProcess('tap', direct);
  const agents = [new Agent({ keepAlive: true }), new Agent({ keepAlive: true })] as const;
  const times = { direct: [] as number[], tapped: [] as number[] };
  for (let round = -warmUp; round < rounds; round += 1) {
    const first = await timeRequest(direct, agents[0]);
    const second = await timeRequest(tapped, agents[1]);
    if (round < 0) continue;
    times.direct.push(first);
    times.tapped.push(second);
  }
  console.log(`${rounds} requests each, one at a time, alternating; milliseconds`);
  console.log('          direct     tap   added   ratio');
  for (const [name, share] of [
    ['median', 0.5],
    ['p95', 0.95],
    ['p99', 0.99],
  ] as const) {
    const [without, with_] = [quantile(times.direct, share), quantile(times.tapped, share)];
    const columns = [without, with_, with_ - without].map((ms) => ms.toFixed(3).padStart(8));
    console.log(`${name.padEnd(8)}${columns.join('')}${(with_ / without).toFixed(2).padStart(8)}`);
  }
  process.exit();
}

// This file is also the process of the target and of the tap.
if (process.send !== undefined) {
  const [role, target = ''] = process.argv.slice(2);
  process.send(role === 'tap' ? await serveTap(target) : await serveTarget());
}
