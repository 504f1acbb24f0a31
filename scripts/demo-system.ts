import { join } from 'node:path';
import { type OtlpReceiver, startOtlpReceiver } from 'propagation-check';
import { type ServiceProcess, startService } from './service-process.ts';

/** Service A, service B and a receiver for their spans, as real processes on free ports of the loopback interface. */
export interface DemoSystem {
  readonly receiver: OtlpReceiver;
  readonly serviceA: ServiceProcess;
  readonly serviceB: ServiceProcess;
  /** Stops A, then B, which by then have delivered every span they hold. The receiver stays. */
  stopServices(): Promise<void>;
  /** Stops what still runs. */
  close(): Promise<void>;
}

export interface DemoOptions {
  readonly mode: 'auto' | 'manual';
  /** Name of a fault, or null; the services know which there are. */
  readonly fault: string | null;
  readonly env: NodeJS.ProcessEnv;
  /** Variables for one service alone; they win over all others. */
  readonly own?: Readonly<Partial<Record<ServiceName, NodeJS.ProcessEnv>>>;
  /** Puts something in front of service B and answers with the URL that A is to use. */
  readonly stepBetween?: (serviceB: URL) => Promise<URL>;
  /** The folder of the two services; by default the demo's. */
  readonly folder?: string;
  readonly signal: AbortSignal;
}

type ServiceName = 'service-a' | 'service-b';

const root = join(import.meta.dirname, '..');

/**
 * @throws {ServiceStartError} when a service does not start. Then nothing of the system runs any more.
 */
export async function startDemoSystem({
  mode,
  fault,
  env,
  own,
  stepBetween,
  folder = root,
  signal,
}: DemoOptions): Promise<DemoSystem> {
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
  const start = async (name: ServiceName, extra: NodeJS.ProcessEnv) => {
    const directory = join(folder, name);
    const service = await startService({
      name,
      directory,
      env: { ...shared, ...extra, ...own?.[name] },
      signal,
    });
    started.defer(() => service.stop());
    return service;
  };
  // As in Compose, the variable is for the edge; B trusts this machine.
  const serviceB = await start('service-b', { TRUST_INCOMING: '' });
  const calledByA = (await stepBetween?.(serviceB.url)) ?? serviceB.url;
  const serviceA = await start('service-a', { SERVICE_B_URL: calledByA.href });

  const running = started.move();
  return {
    receiver,
    serviceA,
    serviceB,
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
