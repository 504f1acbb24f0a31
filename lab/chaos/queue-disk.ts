import { CommandError } from '../run-command.ts';
import { awaitFelt } from './await-felt.ts';
import { readSaid } from './counters.ts';
import type { StackShape } from './fault.ts';
import { type ComposeOverride, type Stack, stackImage } from './stack.ts';

/** Where the Collector's queue is, in `collector-config.yaml` and `docker-compose.yml`. */
const folder = '/var/lib/otelcol/queue';
/** Mebibytes. What Linux keeps in memory, and as full as a disk when it is full. */
const diskSize = 64;
/** Requests that the Collector makes at a time. Source: exporterhelper, `sending_queue.num_consumers`. */
const consumers = 10;
/**
 * Spans that the Collector reads behind its consumers: one batch that is full and one that is being filled, of 131072 bytes each
 * (`batch.max_size` of `collector-config.yaml`), at 180 bytes, the smallest span of the demo.
 */
const readAhead = Math.ceil((2 * 131_072) / 180);
/** The Collector's user. */
const owner = 'uid=10001,gid=10001,mode=0700';

/** Gives the Collector's queue a disk of its own of a known size. @throws {CommandError} when the queue is in memory. */
export function limitQueueDisk(shape: StackShape): ComposeOverride {
  const volume = shape.volumes['otel-collector']?.[folder];
  if (volume === undefined)
    throw new CommandError(`the Collector has no volume at ${folder}: it has no disk to fill`);
  const options = { type: 'tmpfs', device: 'tmpfs', o: `size=${diskSize}m,${owner}` };
  return { volumes: { [volume]: { driver: 'local', driver_opts: options } } };
}

/**
 * Stops Jaeger, so that the queue has to grow, fills the queue's disk to the last byte, waits, and frees it again.
 * @throws {NoFaultError} when the Collector does not meet a full disk.
 */
export async function fillQueueDisk(stack: Stack, outage: () => Promise<void>): Promise<void> {
  const since = new Date().toISOString();
  await stack.stop('jaeger');
  // The Collector loses spans that it reads from its queue while the disk is full (docs/nothing-lost.md, "The bounds"). It stops reading
  // when all of its consumers wait for Jaeger and the batches behind them are full.
  await awaitFelt(async () => {
    const { sending } = await readSaid(stack);
    return sending >= consumers ? null : `only ${sending} of the Collector's ${consumers} consumers wait`;
  });
  const { queued: before } = await readSaid(stack);
  await awaitFelt(async () => {
    const { queued } = await readSaid(stack);
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
  // dd is meant to end with "No space left on device".
  await inDisk(`dd if=/dev/zero of=${filler} bs=64k 2>/dev/null; [ -s ${filler} ]`);
  // First the queue takes up what is free inside of its own file: much, where it has been longer before.
  await awaitFelt(async () => {
    const { stdout, stderr } = await stack.docker('logs', '--since', since, collector.id);
    return /no space left on device/i.test(stdout + stderr) ? null : 'the Collector has met no full disk';
  });
  await outage();
  await inDisk(`rm ${filler}`);
  await stack.start('jaeger');
}
