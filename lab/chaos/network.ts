import type { Container } from './container.ts';
import type { ServiceName, Stack } from './stack.ts';

/** Disconnects a service from every network that it shares with other services, waits, and reconnects it with its aliases. */
export async function cutNetwork(
  stack: Stack,
  service: ServiceName,
  from: readonly ServiceName[],
  outage: () => Promise<void>,
): Promise<void> {
  const container = await stack.inspect(service);
  const others = await Promise.all(from.map((other) => stack.inspect(other)));
  const shared = sharedNetworks(container, others);
  for (const network of shared) await stack.docker('network', 'disconnect', network, container.id);
  await outage();
  for (const network of shared)
    await connect(stack, network, container.id, container.networks[network]?.aliases ?? []);
}

export function sharedNetworks(container: Container, others: readonly Container[]): readonly string[] {
  return Object.keys(container.networks).filter((network) =>
    others.some(({ networks }) => Object.hasOwn(networks, network)),
  );
}

export async function connect(
  stack: Stack,
  network: string,
  id: string,
  aliases: readonly string[],
): Promise<void> {
  await stack.docker('network', 'connect', ...aliases.flatMap((alias) => ['--alias', alias]), network, id);
}
