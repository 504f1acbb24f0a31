import { awaitFelt } from './await-felt.ts';
import { connect, sharedNetworks } from './network.ts';
import { type Stack, stackImage } from './stack.ts';

const hiddenName = 'jaeger-behind-tap';

/**
 * Puts a `propagation-check tap` that holds each request back where the Collector expects Jaeger, waits, and takes it away again.
 * The kernels of many machines cannot delay packets (`sch_netem`); a proxy delays anywhere. It speaks no TLS.
 */
export async function slowDown(stack: Stack, delayMs: number, outage: () => Promise<void>): Promise<void> {
  const jaeger = await stack.inspect('jaeger');
  const networks = sharedNetworks(jaeger, [await stack.inspect('otel-collector')]);
  const tap = `${stack.project}-tap`;
  const [first = '', ...more] = networks;
  const label = ['--label', `chaos.project=${stack.project}`];
  const place = ['--network', first, '--network-alias', 'jaeger'];
  const listen = ['tap', '--listen', '0.0.0.0:4318', '--target', `http://${hiddenName}:4318`];

  // The tap joins before Jaeger comes back, so it gets the address that Jaeger had, and connections to that are reset at once. Had
  // Jaeger got it back, they would go on past the tap.
  for (const network of networks) await stack.docker('network', 'disconnect', network, jaeger.id);
  await stack.docker(
    ...['run', '--detach', '--name', tap, ...label, ...place, '--entrypoint', 'node', stackImage],
    ...['packages/propagation-check/src/cli.ts', ...listen, '--fault', `delay=${delayMs}`],
  );
  for (const network of more) await connect(stack, network, tap, ['jaeger']);
  for (const network of networks) await connect(stack, network, jaeger.id, [hiddenName]);

  // The tap prints a line of JSON for each request.
  await awaitFelt(async () => {
    const { stdout } = await stack.docker('logs', tap);
    return /^\{/m.test(stdout) ? null : 'no request has passed the proxy that delays';
  });
  await outage();

  for (const network of networks) await stack.docker('network', 'disconnect', network, jaeger.id);
  await stack.docker('rm', '--force', tap);
  for (const network of networks)
    await connect(stack, network, jaeger.id, jaeger.networks[network]?.aliases ?? []);
}
