import { awaitFelt } from './await-felt.ts';
import { connect, sharedNetworks } from './network.ts';
import { type Stack, stackImage } from './stack.ts';

const hiddenName = 'jaeger-behind-tap';

/**
 * Puts a `propagation-check tap` that delays each request in Jaeger's place, waits, and removes it again. Many kernels lack `sch_netem`
 * and cannot delay packets; a proxy works everywhere, but without TLS.
 */
export async function slowDown(stack: Stack, delayMs: number, outage: () => Promise<void>): Promise<void> {
  const jaeger = await stack.inspect('jaeger');
  const networks = sharedNetworks(jaeger, [await stack.inspect('otel-collector')]);
  const tap = `${stack.project}-tap`;
  const [first = '', ...more] = networks;
  const label = ['--label', `chaos.project=${stack.project}`];
  const place = ['--network', first, '--network-alias', 'jaeger'];
  const listen = ['tap', '--listen', '0.0.0.0:4318', '--target', `http://${hiddenName}:4318`];

  // The tap joins the network before Jaeger rejoins, so the tap gets Jaeger's former address and the Collector's open connections are reset.
  // If Jaeger got its address back, these connections would bypass the tap.
  for (const network of networks) await stack.docker('network', 'disconnect', network, jaeger.id);
  await stack.docker(
    ...['run', '--detach', '--name', tap, ...label, ...place, '--entrypoint', 'node', stackImage],
    ...['packages/propagation-check/src/cli.ts', ...listen, '--fault', `delay=${delayMs}`],
  );
  for (const network of more) await connect(stack, network, tap, ['jaeger']);
  for (const network of networks) await connect(stack, network, jaeger.id, [hiddenName]);

  // The tap prints a JSON line for each request.
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
