import { join } from 'node:path';
import { type Mode, type ServiceName, selectFault, startTaps } from 'faults';
import { type OtlpReceiver, startOtlpReceiver, type WireRecord } from 'propagation-check';
import { type ServiceProcess, startService } from './service-process.ts';

/** Service A, service B and a receiver for their spans, as real processes on free ports of the loopback interface. */
export interface DemoSystem {
  readonly receiver: OtlpReceiver;
  readonly serviceA: ServiceProcess;
  readonly serviceB: ServiceProcess;
  /** The headers between the services, once these have stopped; none where nothing recorded them. */
  readHeaders(): Promise<readonly WireRecord[]>;
  /** Stops A, then B, which by then have delivered every span they hold. The receiver stays. */
  stopServices(): Promise<void>;
  /** Stops what still runs. */
  close(): Promise<void>;
}

export interface DemoOptions {
  readonly mode: Mode;
  /** Name of a fault, or null. */
  readonly fault: string | null;
  readonly env: NodeJS.ProcessEnv;
  /** Variables for one service alone; they win over all others. */
  readonly own?: Readonly<Partial<Record<ServiceName, NodeJS.ProcessEnv>>>;
  /** Whether taps between the services record headers. Some faults are made by a proxy there, recorded or not. */
  readonly isTapped?: boolean;
  /** The folder of the two services; by default the demo's. */
  readonly folder?: string;
  readonly signal: AbortSignal;
}

const root = join(import.meta.dirname, '..');

/**
 * @throws {FaultError} when the fault cannot be had.
 * @throws {ServiceStartError} when a service does not start. Then nothing of the system runs any more.
 */
export async function startDemoSystem({
  mode,
  fault,
  env,
  own,
  isTapped = false,
  folder = root,
  signal,
}: DemoOptions): Promise<DemoSystem> {
  const tapFaults = (fault === null ? null : selectFault(fault, mode).tap) ?? null;
  await using started = new AsyncDisposableStack();
  const receiver = await startOtlpReceiver({ port: 0 });
  started.defer(() => receiver.close());
  const shared = {
    ...withoutTelemetrySettings(env),
    PROPAGATION: mode,
    FAULT: fault ?? '',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_BSP_SCHEDULE_DELAY: '50',
  };
  const faultPreload = fault === null ? [] : [import.meta.resolve('faults/preload')];
  const start = async (name: ServiceName, extra: NodeJS.ProcessEnv) => {
    const directory = join(folder, name);
    const service = await startService({
      name,
      directory,
      env: { ...shared, ...extra, ...own?.[name] },
      preload: [...faultPreload, './src/telemetry.ts'],
      signal,
    });
    started.defer(() => service.stop());
    return service;
  };
  // As in Compose, the variable is for the edge; B trusts this machine.
  const serviceB = await start('service-b', { TRUST_INCOMING: '' });
  const taps =
    isTapped || tapFaults !== null
      ? started.use(await startTaps({ serviceB: serviceB.url, faults: tapFaults }))
      : null;
  const serviceA = await start('service-a', { SERVICE_B_URL: (taps ?? serviceB).url.href });

  const running = started.move();
  return {
    receiver,
    serviceA,
    serviceB,
    readHeaders: async () => (await taps?.readAll()) ?? [],
    // A first: it may still wait for B.
    stopServices: async () => {
      await serviceA.stop();
      await serviceB.stop();
    },
    close: () => running.disposeAsync(),
  };
}

/** The user's settings may send spans elsewhere, name both services alike or load other tools into them. */
function withoutTelemetrySettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isKept = (name: string) =>
    name === 'OTEL_LOG_LEVEL' || !(name.startsWith('OTEL_') || name === 'NODE_OPTIONS');
  return Object.fromEntries(Object.entries(env).filter(([name]) => isKept(name)));
}
