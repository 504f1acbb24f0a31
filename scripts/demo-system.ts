import { join } from 'node:path';
import { type Mode, type ServiceName, selectFault, startTaps } from 'faults';
import { type OtlpReceiver, startOtlpReceiver, type WireRecord } from 'propagation-check';
import { type ServiceProcess, startService } from './service-process.ts';

/** Service A, service B and a receiver for their spans, as real processes on free ports of the loopback interface. */
export interface DemoSystem {
  readonly receiver: OtlpReceiver;
  readonly serviceA: ServiceProcess;
  readonly serviceB: ServiceProcess;
  /** The recorded headers between the services, after these have stopped; empty without taps. */
  readHeaders(): Promise<readonly WireRecord[]>;
  /** Stops A, then B. Both have then exported all their spans. The receiver keeps running. */
  stopServices(): Promise<void>;
  /** Stops everything that still runs. */
  close(): Promise<void>;
}

export interface DemoOptions {
  readonly mode: Mode;
  /** Name of a fault, or null. */
  readonly fault: string | null;
  readonly env: NodeJS.ProcessEnv;
  /** Environment variables of a single service; they override all others. */
  readonly own?: Readonly<Partial<Record<ServiceName, NodeJS.ProcessEnv>>>;
  /** Whether taps between the services record headers. The proxy of a fault runs there with or without taps. */
  readonly isTapped?: boolean;
  /** The folder of the two services; the demo's by default. */
  readonly folder?: string;
  readonly signal: AbortSignal;
}

const root = join(import.meta.dirname, '..');

/**
 * @throws {FaultError} when the fault does not exist or is impossible in this mode.
 * @throws {ServiceStartError} when a service does not start. Nothing of the system runs then.
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
  // As in Compose, the user's variable applies to service A; B trusts this machine by default.
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
    // A stops first, because it may still wait for an answer of B.
    stopServices: async () => {
      await serviceA.stop();
      await serviceB.stop();
    },
    close: () => running.disposeAsync(),
  };
}

/** Removes settings of the user that could export spans elsewhere, give both services the same name or load other tools. */
function withoutTelemetrySettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isKept = (name: string) =>
    name === 'OTEL_LOG_LEVEL' || !(name.startsWith('OTEL_') || name === 'NODE_OPTIONS');
  return Object.fromEntries(Object.entries(env).filter(([name]) => isKept(name)));
}
