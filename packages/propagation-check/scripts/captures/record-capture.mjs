/** Common to the capture scripts: a receiver that saves all exports, the processes, and the files of a case. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { startOtlpReceiver } from '../../src/index.ts';
import { openSave } from '../../src/source/save-exports.ts';

const captures = join(import.meta.dirname, '..', '..', 'captures');

/**
 * Records one case. `drive` runs the system, which exports to `url`; when `drive` resolves, the system has exited or flushed its spans.
 * @param {{ name: string, system: string, label: object, drive: (url: string) => Promise<void> }} system
 */
export async function recordCapture({ name, system, label, drive }) {
  const folder = join(captures, name);
  mkdirSync(folder, { recursive: true });
  const receiver = await startOtlpReceiver({
    port: 0,
    openSinks: async () => [await openSave(join(folder, 'spans.otlp.jsonl.gz'))],
  });
  await drive(receiver.url);
  const spans = receiver.readAll();
  await receiver.close();
  writeFileSync(join(folder, 'case.json'), JSON.stringify({ system }, null, 1));
  writeFileSync(join(folder, 'label.json'), JSON.stringify(label, null, 1));
  console.log(`${name}: ${spans.length} spans`);
  return spans;
}

export function healthy(path) {
  return { verdict: 'healthy', truth: null, symptoms: [], path, broken_edges: [] };
}

export function broken(path, truth, count, symptoms = ['split-trace']) {
  const [client_service, server_service] = path.slice(-2);
  const edge = { client_service, server_service, broken_count: count, total_count: count };
  return { verdict: 'broken', truth, symptoms, path, broken_edges: [edge] };
}

/** Runs a program to its end. It shares this process's standard error. */
export async function run(command, args, options) {
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}`);
}

/** Starts a server; `stop` interrupts it with SIGINT and waits for its end. */
export async function start(command, args, port, options) {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'], ...options });
  const ended = once(child, 'exit');
  await untilListening(port, child);
  return {
    async stop() {
      child.kill('SIGINT');
      await ended;
    },
  };
}

async function untilListening(port, child) {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const [event] = await Promise.race([
      once(socket, 'connect').then(() => ['connect']),
      once(socket, 'error').then(() => ['error']),
    ]).catch(() => ['error']);
    socket.destroy();
    if (event === 'connect') return;
    if (child.exitCode !== null) throw new Error('a server ended before it listened');
    await setTimeout(50);
  }
}


export async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
