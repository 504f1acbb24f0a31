import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createJaegerSource } from '../../propagation-check/src/source/jaeger.ts';
import { type Source, SourceError } from '../../propagation-check/src/source/source.ts';
import type { Span } from '../../propagation-check/src/span.ts';
import { type Account, drawAccount, isClean } from './account.ts';
import { isQuiet, readSaid, type Said } from './counters.ts';
import { awaitSpans } from './drain.ts';
import { type Fault, NoFaultError, type Scene, type Settings, type StackShape } from './fault.ts';
import { type EndedSpan, LedgerError, readLedger } from './ledger.ts';
import { type PeakMemory, watchMemory } from './memory.ts';
import { CommandError } from './run-command.ts';
import { type ComposeOverride, RecoveryError, type ServiceName, type Stack, serviceNames } from './stack.ts';
import type { StackKeeper } from './stack-keeper.ts';
import { type Outcome, startTraffic } from './traffic.ts';

/** One run of one fault. */
export type Run = RunDone | RunFailed;

export interface RunDone {
  readonly fault: string;
  /** See `Fault`. */
  readonly reachesBound: boolean;
  readonly account: Account;
  /** From the end of fault and traffic, whichever was later, until the last span was there. */
  readonly drainSeconds: number;
  readonly said: Said;
  readonly peakMemory: PeakMemory;
  /** Containers that ended, were restarted or ran out of memory by themselves. */
  readonly accidents: readonly string[];
}

/** There is no account of it. */
export interface RunFailed {
  readonly fault: string;
  readonly reason: string;
  /**
   * False when the stack did not come back from the fault, or Jaeger cannot be read: what ended in it is as good as lost. True
   * when the run could not be made, or the fault was not felt: it proves nothing.
   */
  readonly isRecovered: boolean;
}

export interface RunOptions {
  /** Requests a second. */
  readonly rate: number;
  /** Short outages. */
  readonly short: boolean;
  /** See `awaitSpans`. */
  readonly patienceMs: number;
  readonly settings: Settings;
  readonly shape: StackShape;
  /** For every stack. */
  readonly override: ComposeOverride;
  /** Where the logs of all containers are kept, or null. */
  readonly save: string | null;
  readonly signal: AbortSignal;
}

/** Traffic before and after the fault, in seconds. */
const margins = { full: { before: 5, after: 10 }, short: { before: 3, after: 5 } } as const;
/** Longer than any fault lasts: traffic ends by itself when a command hangs. */
const longestTrafficSeconds = 600;
const burstAllowance = 10_000;
const quietPollMs = 500;
/** Where everything has been delivered, nothing can arrive that is not there. */
const quietPatienceMs = 10_000;

/**
 * Runs a fault several times, on one stack as long as nothing is wrong with it: then the next run, if there is one, gets a new one.
 * None is repeated: what could not be made is told.
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
    // Counters go on from run to run, and what a run dropped has to be counted exactly.
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

/**
 * Nothing is lost but what the stack has to drop and counts, nothing doubled or wrong, nothing waits any more, and no container met
 * with an accident. What the stack says of itself is a witness too: it must not have dropped what nobody misses.
 */
export function isGood(run: Run): boolean {
  if (!('account' in run) || run.accidents.length > 0) return false;
  const { account, reachesBound, said } = run;
  if (!isQuiet(said) || account.lost.length !== said.dropped) return false;
  return reachesBound ? said.dropped > 0 && isClean({ ...account, lost: [] }) : isClean(account);
}

function makeOverride(fault: Fault, { override, shape }: RunOptions): ComposeOverride {
  const own = fault.override?.(shape) ?? {};
  const services = Object.entries({ ...override.services, ...own.services }).map(([name, service]) => [
    name,
    { ...override.services?.[name], ...service },
  ]);
  return { ...own, services: Object.fromEntries(services) };
}

/** @throws What is no failure of the run, but of this program. */
export function toFailure(fault: string, error: unknown): RunFailed {
  if (error instanceof RecoveryError || error instanceof SourceError)
    return { fault, reason: error.message, isRecovered: false };
  if (error instanceof CommandError || error instanceof NoFaultError || error instanceof LedgerError)
    return { fault, reason: error.message, isRecovered: true };
  throw error;
}

async function runOn(stack: Stack, fault: Fault, name: string, options: RunOptions): Promise<RunDone> {
  await using cleanup = new AsyncDisposableStack();
  const { signal } = options;
  const source = await createJaegerSource(stack.jaeger);
  cleanup.defer(() => source.close());
  const memory = watchMemory(stack, signal);
  cleanup.defer(async () => void (await memory.stop()));
  const witness = createWitness(stack, options.save === null ? null : join(options.save, name));

  const outcomes = await driveThrough(stack, fault, options, witness);
  const since = performance.now();

  const drain = await drainAll(stack, source, witness, outcomes, options);
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

/** Reads which spans have ended from now on, over all containers that a service has. */
interface Witness {
  readEnded(): Promise<readonly EndedSpan[]>;
  readonly stopService: Scene['stopService'];
  accidents(): readonly string[];
  save(...services: readonly ServiceName[]): Promise<void>;
}

function createWitness(stack: Stack, folder: string | null): Witness {
  const since = new Date().toISOString();
  const gone = new Map<string, readonly EndedSpan[]>();
  const accidents: string[] = [];
  const readLog = async (service: ServiceName): Promise<{ readonly id: string; readonly stdout: string }> => {
    const { id } = await stack.inspect(service);
    const { stdout, stderr } = await stack.docker('logs', '--since', since, id);
    if (folder !== null) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, `${service}-${id.slice(0, 8)}.log`), stdout + stderr);
    }
    return { id, stdout };
  };
  return {
    readEnded: async () => {
      for (const service of ['service-a', 'service-b'] as const) {
        const { id, stdout } = await readLog(service);
        gone.set(id, readLedger(service, stdout));
      }
      return [...gone.values()].flat();
    },
    stopService: async (service) => {
      const exitCode = await stack.stop(service);
      if (exitCode !== 0) accidents.push(`${service} was told to stop and ended with exit code ${exitCode}`);
      if (service !== 'service-a' && service !== 'service-b') return;
      const { id, stdout } = await readLog(service);
      gone.set(id, readLedger(service, stdout));
    },
    accidents: () => accidents,
    save: async (...services) => {
      if (folder !== null) for (const service of services) await readLog(service);
    },
  };
}

interface Drained {
  readonly ended: readonly EndedSpan[];
  readonly found: readonly Span[];
  readonly said: Said;
  /** On the clock of `performance.now()`. */
  readonly until: number;
}

/**
 * Waits until no queue holds anything: a batch that is sent once more would arrive after the account. Then waits for every span
 * that has ended, and until no more end: the last ones may do so after their answers. What arrives while traces are read may arrive
 * once more, in one that has been read: then all are read anew.
 */
async function drainAll(
  stack: Stack,
  source: Source,
  witness: Witness,
  outcomes: readonly Outcome[],
  { patienceMs, signal }: RunOptions,
): Promise<Drained> {
  let arrival: number | null = null;
  for (;;) {
    const { said, until } = await awaitQuiet(stack, patienceMs, signal);
    const ended = await witness.readEnded();
    const { found, lastArrival } = await awaitSpans({
      source,
      expected: expectedSpans(ended, outcomes),
      patienceMs: isQuiet(said) ? Math.min(patienceMs, quietPatienceMs) : patienceMs,
      signal,
    });
    arrival = lastArrival ?? arrival;
    const isComplete = (await witness.readEnded()).length === ended.length;
    if (isComplete && lastArrival === null) return { ended, found, said, until: arrival ?? until };
  }
}

/** @returns What the stack said at last, and when, on the clock of `performance.now()`. */
async function awaitQuiet(
  stack: Stack,
  patienceMs: number,
  signal: AbortSignal,
): Promise<Pick<Drained, 'said' | 'until'>> {
  let least = Number.POSITIVE_INFINITY;
  let progress = performance.now();
  for (;;) {
    const until = performance.now();
    const said = await readSaid(stack);
    if (said.unread.length === 0 && said.queued < least) {
      least = said.queued;
      progress = until;
    }
    if (isQuiet(said) || until - progress > patienceMs) return { said, until };
    await delay(quietPollMs, undefined, { signal });
  }
}

/** Ids of the spans of each trace that has to be there. */
function expectedSpans(
  ended: readonly EndedSpan[],
  outcomes: readonly Outcome[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const expected = new Map<string, Set<string>>();
  for (const { answer } of outcomes) if (answer !== null) expected.set(answer.service_a_trace_id, new Set());
  for (const { traceId, spanId } of ended) {
    const ids = expected.get(traceId);
    if (ids === undefined) expected.set(traceId, new Set([spanId]));
    else ids.add(spanId);
  }
  return expected;
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
