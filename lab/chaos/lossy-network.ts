import { awaitFelt } from './await-felt.ts';
import { type Stack, stackImage } from './stack.ts';

/**
 * Drops a share of the packets between the Collector and Jaeger, in both directions, waits, and removes the rules again. A container with
 * NET_ADMIN in the Collector's network adds the rules with the host's `iptables`, which every engine needs. So access to the engine is
 * enough, and no other privileges on the host are needed.
 */
export async function dropPackets(stack: Stack, rate: number, outage: () => Promise<void>): Promise<void> {
  const collector = await stack.inspect('otel-collector');
  const jaeger = await stack.inspect('jaeger');
  const addresses = Object.entries(jaeger.networks)
    .filter(([network]) => Object.hasOwn(collector.networks, network))
    .map(([, { address }]) => address);

  /** Runs iptables once for each line of arguments, all in one container. */
  const iptables = async (...lines: readonly string[]): Promise<string> => {
    const place = ['--network', `container:${collector.id}`, '--volume', '/:/host:ro'];
    const rights = ['--user', '0:0', '--cap-add', 'NET_ADMIN'];
    const image = ['--entrypoint', 'chroot', stackImage];
    const script = lines.map((line) => `iptables --wait ${line}`).join(' && ');
    const command = ['/host', 'sh', '-c', script];
    return (await stack.docker('run', '--rm', ...place, ...rights, ...image, ...command)).stdout;
  };
  const chance = `--match statistic --mode random --probability ${rate} --jump DROP`;
  const rules = addresses.flatMap((address) => [
    `OUTPUT --destination ${address} ${chance}`,
    `INPUT --source ${address} ${chance}`,
  ]);

  await iptables(...rules.map((rule) => `--append ${rule}`));
  await awaitFelt(async () => {
    const listed = await iptables('--list-rules --verbose');
    return countDropped(listed) > 0 ? null : `no packet was dropped by the rules ${JSON.stringify(listed)}`;
  });
  await outage();
  await iptables(...rules.map((rule) => `--delete ${rule}`));
}

/** The number of packets that the rules have dropped. A rule: `-A OUTPUT -d 172.18.0.2/32 -m statistic … -c 12 3456 -j DROP`. */
export function countDropped(listed: string): number {
  return listed
    .split('\n')
    .filter((line) => line.includes('-j DROP'))
    .reduce((sum, line) => sum + Number(/-c (\d+) \d+/.exec(line)?.[1] ?? 0), 0);
}
