import { NoFaultError } from './fault.ts';
import { connect, sharedNetworks } from './network.ts';
import { imageOf, type Stack } from './stack.ts';

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
  await outage();

  // One line of JSON for each request that passed.
  const { stdout } = await stack.docker('logs', tap);
  await stack.docker('rm', '--force', tap);
  for (const network of networks) {
    await stack.docker('network', 'disconnect', network, jaeger.id);
    await connect(stack, network, jaeger.id, jaeger.networks[network]?.aliases ?? []);
  }
  const passed = stdout.split('\n').filter((line) => line.startsWith('{')).length;
  if (passed === 0) throw new NoFaultError('no request has passed the proxy that delays');
}
