import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openSource } from 'propagation-check';
import { drawAccount } from './account.ts';
import { drainStack } from './drain-stack.ts';
import type { Fault, Settings, StackShape } from './fault.ts';
import { watchMemory } from './memory.ts';
import { isGood, type Run, type RunDone, toFailure } from './run.ts';
import { type ComposeOverride, type Stack, serviceNames } from './stack.ts';
import type { StackKeeper } from './stack-keeper.ts';
import { type Outcome, startTraffic } from './traffic.ts';
import { createWitness, type Witness } from './witness.ts';

export interface RunOptions {
  /** Requests per second. */
  readonly rate: number;
  /** Whether outages have their short duration. */
  readonly short: boolean;
  /** See `awaitSpans`. */
  readonly patienceMs: number;
  readonly settings: Settings;
  readonly shape: StackShape;
  /** Configuration changes for every stack. */
  readonly override: ComposeOverride;
  /** The folder in which the logs of all containers are saved, or null. */
  readonly save: string | null;
  readonly signal: AbortSignal;
}

/** Seconds of traffic before and after the fault. */
const margins = { full: { before: 5, after: 10 }, short: { before: 3, after: 5 } } as const;
/** Longer than any fault. Limits the number of requests when a command hangs. */
const longestTrafficSeconds = 600;
const burstAllowance = 10_000;

/**
 * Runs a fault several times. The runs share a stack until one of them is not good; the next run then gets a new stack. A run that could
 * not be made is reported and not repeated.
 */
export async function* runFault(
  fault: Fault,
  count: number,
  keeper: StackKeeper,
  options: RunOptions,
): AsyncGenerator<Run> {
  for (let number = 1; number <= count; number += 1) {
    const run = await tryRun(fault, `${fault.name}-${number}`, keeper, options);
    yield run;
    // Counters continue from run to run. Where a bound is reached, the drops of each run must be counted exactly.
    if (!isGood(run) || fault.reachesBound) await keeper.discard();
  }
}

async function tryRun(fault: Fault, name: string, keeper: StackKeeper, options: RunOptions): Promise<Run> {
  try {
    return await runOn(await keeper.provide(makeOverride(fault, options)), fault, name, options);
  } catch (error) {
    options.signal.throwIfAborted();
    return toFailure(fault.name, error);
  }
}

function makeOverride(fault: Fault, { override, shape }: RunOptions): ComposeOverride {
  const own = fault.override?.(shape) ?? {};
  const services = Object.entries({ ...override.services, ...own.services }).map(([name, service]) => [
    name,
    { ...override.services?.[name], ...service },
  ]);
  return { ...own, services: Object.fromEntries(services) };
}

async function runOn(stack: Stack, fault: Fault, name: string, options: RunOptions): Promise<RunDone> {
  await using cleanup = new AsyncDisposableStack();
  const { signal } = options;
  const source = await openSource(`jaeger=${stack.jaeger.href}`);
  cleanup.defer(() => source.close());
  const memory = watchMemory(stack, signal);
  cleanup.defer(async () => void (await memory.stop()));
  const witness = createWitness(stack, options.save === null ? null : join(options.save, name));

  const outcomes = await driveThrough(stack, fault, options, witness);
  const since = performance.now();

  const drain = await drainStack(stack, source, witness, outcomes, options);
  const [peakMemory, accidents] = await Promise.all([
    memory.stop(),
    findAccidents(stack),
    witness.save('otel-collector', 'jaeger'),
  ]);
  return {
    fault: fault.name,
    reachesBound: fault.reachesBound ?? false,
    account: drawAccount({ outcomes, ended: drain.ended, found: drain.found }),
    drainSeconds: Math.max(0, drain.until - since) / 1000,
    said: drain.said,
    peakMemory,
    accidents: [...witness.accidents(), ...accidents],
  };
}

/** Traffic before, during and after the fault. */
async function driveThrough(
  stack: Stack,
  fault: Fault,
  { rate, short, settings, signal }: RunOptions,
  witness: Witness,
): Promise<readonly Outcome[]> {
  const form = short ? 'short' : 'full';
  const wait = (seconds: number) => delay(seconds * 1000, undefined, { signal });
  await using traffic = startTraffic({
    url: new URL('/call-b', stack.serviceA),
    rate,
    limit: rate * longestTrafficSeconds + burstAllowance,
    signal,
  });
  await wait(margins[form].before);
  await fault.strike({
    stack,
    traffic,
    rate,
    settings,
    outage: () => wait(fault.lasts[form]),
    stopService: witness.stopService,
  });
  await wait(margins[form].after);
  return await traffic.stop();
}

async function findAccidents(stack: Stack): Promise<readonly string[]> {
  const found = await Promise.all(
    serviceNames.map(async (service) => ({ service, container: await stack.inspect(service) })),
  );
  return found.flatMap(({ service, container }) => [
    ...(container.isRunning ? [] : [`${service} ended with exit code ${container.exitCode}`]),
    ...(container.isOomKilled ? [`${service} was killed for want of memory`] : []),
    ...(container.restarts > 0 ? [`${service} ended ${container.restarts} times by itself`] : []),
  ]);
}
