import { CommandError } from '../run-command.ts';
import { awaitFelt } from './await-felt.ts';
import { readCounterTotals } from './counters.ts';
import type { StackShape } from './fault.ts';
import { type ComposeOverride, type Stack, stackImage } from './stack.ts';

/** The folder of the Collector's queue in `collector-config.yaml` and `docker-compose.yml`. */
const folder = '/var/lib/otelcol/queue';
/** Size in MiB of a tmpfs, which fails with ENOSPC like a full disk. */
const diskSize = 64;
/** Number of concurrent requests of the Collector. Source: exporterhelper, `sending_queue.num_consumers`. */
const consumers = 10;
/**
 * Spans that the Collector has read from its queue while all consumers wait: a full batch and a batch that is being filled, of 131072 bytes
 * each (`batch.max_size` of `collector-config.yaml`), at 180 bytes for the demo's smallest span.
 */
const readAhead = Math.ceil((2 * 131_072) / 180);
/** The Collector's user. */
const owner = 'uid=10001,gid=10001,mode=0700';

/** Puts the Collector's queue on its own disk of a known size. @throws {CommandError} when the queue is in memory. */
export function limitQueueDisk(shape: StackShape): ComposeOverride {
  const volume = shape.volumes['otel-collector']?.[folder];
  if (volume === undefined)
    throw new CommandError(`the Collector has no volume at ${folder}: it has no disk to fill`);
  const options = { type: 'tmpfs', device: 'tmpfs', o: `size=${diskSize}m,${owner}` };
  return { volumes: { [volume]: { driver: 'local', driver_opts: options } } };
}

/**
 * Stops Jaeger, so that the queue grows, fills the queue's disk to the last byte, waits, and frees the disk again.
 * @throws {NoFaultError} when the Collector never logs a full disk.
 */
export async function fillQueueDisk(stack: Stack, outage: () => Promise<void>): Promise<void> {
  const since = new Date().toISOString();
  await stack.stop('jaeger');
  // The Collector loses spans that it reads from its queue while the disk is full (docs/nothing-lost.md, "The bounds"). It stops reading
  // when all of its consumers wait for Jaeger and the batches behind them are full.
  await awaitFelt(async () => {
    const { sending } = await readCounterTotals(stack);
    return sending >= consumers ? null : `only ${sending} of the Collector's ${consumers} consumers wait`;
  });
  const { queued: before } = await readCounterTotals(stack);
  await awaitFelt(async () => {
    const { queued } = await readCounterTotals(stack);
    return queued >= before + readAhead
      ? null
      : `only ${queued - before} of ${readAhead} spans wait behind them`;
  });
  const collector = await stack.inspect('otel-collector');
  const inDisk = async (script: string): Promise<void> => {
    const place = ['--network', 'none', '--volumes-from', collector.id, '--user', '10001:10001'];
    const image = ['--entrypoint', 'sh', stackImage];
    await stack.docker('run', '--rm', ...place, ...image, '-c', script);
  };
  const filler = `${folder}/filler`;
  // dd must end with "No space left on device".
  await inDisk(`dd if=/dev/zero of=${filler} bs=64k 2>/dev/null; [ -s ${filler} ]`);
  // The queue first fills the free pages of its own file, of which there are many if the queue has been longer before.
  await awaitFelt(async () => {
    const { stdout, stderr } = await stack.docker('logs', '--since', since, collector.id);
    return /no space left on device/i.test(stdout + stderr) ? null : 'the Collector has met no full disk';
  });
  await outage();
  await inDisk(`rm ${filler}`);
  await stack.start('jaeger');
}
