/** The first results for a new user with a proxy between two services that drops `traceparent`. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startTap } from '../../src/index.ts';
import { entry, executeCli, makeFolder } from '../cli/run-cli.ts';
import { findFreePort } from '../free-ports.ts';

const services = fileURLToPath(new URL('../../examples/services', import.meta.url));
const sdk = import.meta.resolve('@opentelemetry/auto-instrumentations-node/register');

/** @returns The port. */
async function startService(t: TestContext, service: string, receiver: number, ...args: readonly string[]) {
  const child: ChildProcess = fork(join(services, `${service}.cjs`), args, {
    env: {
      ...process.env,
      ...{ NODE_OPTIONS: `--import ${sdk}`, OTEL_NODE_RESOURCE_DETECTORS: 'env', OTEL_SERVICE_NAME: service },
      ...{ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${receiver}`, OTEL_BSP_SCHEDULE_DELAY: '100' },
      ...{ OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' },
    },
  });
  t.after(() => child.kill('SIGKILL'));
  const [port]: number[] = await once(child, 'message');
  assert.ok(port !== undefined);
  return port;
}

/** A tap without records that strips headers, as the proxy between the services. */
async function startProxy(t: TestContext, port: number) {
  const target = `http://127.0.0.1:${port}`;
  const proxy = await startTap({ listen: { port: 0 }, target, faults: ['strip'], onRecord: () => undefined });
  t.after(() => proxy.close());
  return proxy;
}

/** Runs the command of a report. @returns The port of the tap. */
async function paste(t: TestContext, command: string, folder: string): Promise<number> {
  const [program, ...args] = command.split(' ');
  assert.equal(program, 'propagation-check');
  const child = spawn(process.execPath, [entry, ...args], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  for await (const chunk of child.stderr.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    said += chunk;
    const port = /listening on http:\S+:(\d+),/.exec(said)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`${command}: ${said}`);
}

test('run names the edge and the step that decides, and after two taps the cause', async (t) => {
  const receiver = await findFreePort();
  const folder = await makeFolder(t);
  const orders = await startService(t, 'orders', receiver);
  const wires: string[] = [];

  /** Starts `web`, which calls this port instead of the service, and returns the report after a request. */
  const ask = async (called: number) => {
    const web = await startService(t, 'web', receiver, String(called));
    const args = ['--requests', '3', '--concurrency', '1', '--settle', '1s', '--report', 'json'];
    const { code, stdout } = await executeCli(
      ...['run', `http://127.0.0.1:${web}/`, '--source', `otlp=127.0.0.1:${receiver}`, ...args],
      ...wires.flatMap((wire) => ['--wire', join(folder, wire)]),
    );
    const { verdict, findings } = JSON.parse(stdout);
    assert.deepEqual([code, verdict], [1, 'broken'], stdout);
    const [finding] = findings;
    assert.deepEqual([finding.client, finding.server], ['web', 'orders']);
    return finding;
  };
  /** Starts the tap that a report advises. The user fills in an address that no span shows. @returns The port of the tap. */
  const follow = async ({ decide }: { readonly decide: readonly string[] }, side: 'client' | 'server') => {
    const command = decide
      .flatMap((step) => step.split('\n'))
      .find((line) => line.startsWith('propagation-check tap '));
    assert.ok(command, decide.join('\n'));
    assert.equal(command.includes('--client '), side === 'client', command);
    wires.push(/ --out (\S+)/.exec(command)?.[1] ?? '');
    return paste(t, command.replace('HOST:PORT', `127.0.0.1:${orders}`), folder);
  };

  const proxy = await startProxy(t, orders);
  const first = await ask(Number(new URL(proxy.url).port));
  assert.deepEqual([first.id, first.confidence], ['split-trace', 'undecided']);
  assert.ok(first.candidates.includes('header-stripped'));

  const ofCaller = await follow(first, 'client');
  const second = await ask(ofCaller);
  assert.equal(second.confidence, 'undecided', second.id);

  // The second tap is in front of the called service: the proxy forwards to it, and the first tap forwards to that proxy.
  const ofCallee = await follow(second, 'server');
  const moved = await startProxy(t, ofCallee);
  const again = `propagation-check tap --listen 0 --target ${moved.url} --client web --out ${wires[0]}`;
  const third = await ask(await paste(t, again, folder));
  assert.deepEqual([third.id, third.confidence], ['header-stripped', 'certain']);
});
