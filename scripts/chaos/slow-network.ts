import { setTimeout as delay } from 'node:timers/promises';
import { NoFaultError } from './fault.ts';
import { connect, sharedNetworks } from './network.ts';
import { imageOf, type Stack } from './stack.ts';

/** Requests to the address that Jaeger had before may wait for an answer for 60 s, which is the Collector's timeout. */
const patienceMs = 120_000;
const pollMs = 500;
const hiddenName = 'jaeger-behind-tap';

/**
 * Puts a `propagation-check tap` that holds each request back where the Collector expects Jaeger, waits, and takes it away again.
 * The kernels of many machines cannot delay packets (`sch_netem`); a proxy delays anywhere. It speaks no TLS.
 */
export async function slowDown(stack: Stack, delayMs: number, outage: () => Promise<void>): Promise<void> {
  const jaeger = await stack.inspect('jaeger');
  const networks = sharedNetworks(jaeger, [await stack.inspect('otel-collector')]);
  const tap = `${stack.project}-tap`;
  for (const network of networks) {
    await stack.docker('network', 'disconnect', network, jaeger.id);
    await connect(stack, network, jaeger.id, [hiddenName]);
  }
  const [first = '', ...more] = networks;
  const label = ['--label', `chaos.project=${stack.project}`];
  const place = ['--network', first, '--network-alias', 'jaeger'];
  const listen = ['tap', '--listen', '0.0.0.0:4318', '--target', `http://${hiddenName}:4318`];
  await stack.docker(
    ...['run', '--detach', '--name', tap, ...label, ...place, '--entrypoint', 'node', imageOf('assert')],
    ...['propagation-check/src/cli.ts', ...listen, '--fault', `delay=${delayMs}`],
  );
  for (const network of more) await connect(stack, network, tap, ['jaeger']);
  // It is slow for the Collector from its first request on.
  const isFelt = await awaitRequest(stack, tap);
  await outage();

  await stack.docker('rm', '--force', tap);
  for (const network of networks) {
    await stack.docker('network', 'disconnect', network, jaeger.id);
    await connect(stack, network, jaeger.id, jaeger.networks[network]?.aliases ?? []);
  }
  if (!isFelt)
    throw new NoFaultError(`no request has passed the proxy that delays within ${patienceMs / 1000} s`);
}

/** Whether one has passed before patience is over. The tap prints a line of JSON for each. */
async function awaitRequest(stack: Stack, tap: string): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    const { stdout } = await stack.docker('logs', tap);
    if (/^\{/m.test(stdout)) return true;
    await delay(pollMs);
  }
  return false;
}
