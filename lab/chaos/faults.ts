import { setTimeout as delay } from 'node:timers/promises';
import { CommandError, runCommand } from '../run-command.ts';
import { type Fault, NoFaultError, type Scene } from './fault.ts';
import { dropPackets } from './lossy-network.ts';
import { cutNetwork } from './network.ts';
import { fillQueueDisk, limitQueueDisk } from './queue-disk.ts';
import { slowDown } from './slow-network.ts';
import type { ServiceName } from './stack.ts';

/** How many times a rolling restart replaces its service. */
const rounds = 3;
const burstFactor = 10;
const lossRate = 0.1;
const slowMs = 2_000;
/** The least that the services accept, in bytes. */
const smallBacklog = { environment: { SPAN_BACKLOG_BYTES: '65536' } } as const;
const engineTimeoutMs = 120_000;

/** In the order of the table. */
export const chaosFaults: readonly Fault[] = [
  {
    name: 'none',
    what: 'nothing: the same account without a fault',
    lasts: { full: 30, short: 5 },
    strike: ({ outage }) => outage(),
  },
  {
    name: 'jaeger-stopped',
    what: 'Jaeger is stopped (SIGTERM) and started again',
    lasts: { full: 120, short: 10 },
    strike: (scene) => stopFor('jaeger', scene),
  },
  {
    name: 'jaeger-killed',
    what: 'Jaeger is killed (SIGKILL) and started again',
    lasts: { full: 0, short: 0 },
    strike: (scene) => killAndStart('jaeger', scene),
  },
  {
    name: 'collector-stopped',
    what: 'the Collector is stopped (SIGTERM) and started again',
    lasts: { full: 120, short: 12 },
    strike: (scene) => stopFor('otel-collector', scene),
  },
  {
    name: 'collector-killed',
    what: 'the Collector is killed (SIGKILL) and started again',
    lasts: { full: 0, short: 0 },
    strike: (scene) => killAndStart('otel-collector', scene),
  },
  {
    name: 'collector-paused',
    what: 'the Collector is frozen (as by SIGSTOP)',
    lasts: { full: 30, short: 12 },
    strike: pauseCollector,
  },
  {
    name: 'collector-cut',
    what: 'no network between the services and the Collector',
    lasts: { full: 60, short: 12 },
    strike: ({ stack, outage }) => cutNetwork(stack, 'otel-collector', ['service-a', 'service-b'], outage),
  },
  {
    name: 'jaeger-cut',
    what: 'no network between the Collector and Jaeger',
    lasts: { full: 60, short: 10 },
    strike: ({ stack, outage }) => cutNetwork(stack, 'jaeger', ['otel-collector'], outage),
  },
  {
    name: 'jaeger-slow',
    what: 'each request from the Collector to Jaeger takes 2 s longer',
    lasts: { full: 60, short: 10 },
    strike: ({ stack, outage }) => slowDown(stack, slowMs, outage),
  },
  {
    name: 'jaeger-lossy',
    what: '10 % of the packets between the Collector and Jaeger are lost, in both directions',
    lasts: { full: 60, short: 10 },
    strike: ({ stack, outage }) => dropPackets(stack, lossRate, outage),
  },
  {
    name: 'services-stopped',
    what: 'A and B are stopped (SIGTERM) at once, and started again',
    lasts: { full: 0, short: 0 },
    strike: stopServices,
  },
  {
    name: 'rolling-restart-a',
    what: `A is stopped and replaced by a new container, ${rounds} times`,
    lasts: { full: 0, short: 0 },
    strike: (scene) => replace('service-a', scene),
  },
  {
    name: 'rolling-restart-b',
    what: `B is stopped and replaced by a new container, ${rounds} times`,
    lasts: { full: 0, short: 0 },
    strike: (scene) => replace('service-b', scene),
  },
  {
    name: 'burst',
    what: `${burstFactor} times as many requests`,
    lasts: { full: 10, short: 5 },
    strike: async ({ traffic, rate, outage }) => {
      traffic.setRate(rate * burstFactor);
      await outage();
      traffic.setRate(rate);
    },
  },
  {
    name: 'queue-disk-full',
    what: "the disk of the Collector's queue is full while Jaeger is stopped, then it is freed",
    lasts: { full: 30, short: 5 },
    override: limitQueueDisk,
    strike: ({ stack, outage }) => fillQueueDisk(stack, outage),
  },
  {
    name: 'backlog-full',
    what: "the Collector is stopped, and there is little memory for the services' spans: they must count what they drop",
    lasts: { full: 60, short: 15 },
    reachesBound: true,
    override: () => ({ services: { 'service-a': smallBacklog, 'service-b': smallBacklog } }),
    strike: (scene) => stopFor('otel-collector', scene),
  },
  {
    name: 'engine-restarted',
    what: 'the container engine is restarted, and every container with it',
    lasts: { full: 0, short: 0 },
    needsAll: true,
    findObstacle: ({ restartEngine }) =>
      restartEngine === null
        ? 'it restarts every container of this machine: --engine-restart COMMAND allows it'
        : null,
    strike: restartEngine,
  },
];

async function stopFor(service: ServiceName, { stack, outage }: Scene): Promise<void> {
  await stack.stop(service);
  await outage();
  await stack.start(service);
}

async function killAndStart(service: ServiceName, { stack }: Scene): Promise<void> {
  await stack.kill(service);
  const { exitCode, isRunning } = await stack.inspect(service);
  if (isRunning || exitCode !== 137) throw new NoFaultError(`${service} was killed, and is not dead`);
  await stack.start(service);
}

async function pauseCollector({ stack, outage }: Scene): Promise<void> {
  const { id } = await stack.inspect('otel-collector');
  await stack.docker('pause', id);
  try {
    await outage();
  } finally {
    // A container that is paused cannot be removed.
    await runCommand('docker', ['unpause', id]);
  }
}

async function stopServices({ stack, stopService }: Scene): Promise<void> {
  await Promise.all([stopService('service-a'), stopService('service-b')]);
  await stack.start('service-b');
  await stack.start('service-a');
}

async function replace(service: 'service-a' | 'service-b', { stack, stopService }: Scene): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await stopService(service);
    await stack.replace(service);
  }
}

async function restartEngine({ stack, settings }: Scene): Promise<void> {
  const before = await stack.inspect('otel-collector');
  if (settings.restartEngine === null) throw new NoFaultError('nobody has allowed it');
  await runCommand('sh', ['-c', settings.restartEngine]);
  await awaitEngine();
  // Only the restart policies bring the containers back.
  await stack.awaitAll();
  const after = await stack.inspect('otel-collector');
  if (after.startedAt === before.startedAt) throw new NoFaultError('the containers have not been restarted');
}

async function awaitEngine(): Promise<void> {
  const deadline = performance.now() + engineTimeoutMs;
  for (;;) {
    try {
      await runCommand('docker', ['version']);
      return;
    } catch (error) {
      if (!(error instanceof CommandError) || performance.now() > deadline) throw error;
      await delay(500);
    }
  }
}
