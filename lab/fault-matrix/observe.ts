import { type ChildProcess, execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Call, type CheckOptions, callServiceA, checkCalls, type Mode, startDemoSystem } from 'demo';
import type { Span, WireRecord } from 'propagation-check';
import { mapConcurrently } from 'propagation-check/kit';
import { listen } from 'service-kit/testing';
import { callPaused } from './call-paused.ts';
import type { VariantName } from './variants/variant.ts';

/** The evidence of a real system that has stopped. */
export interface Observation {
  readonly spans: readonly Span[];
  /** Records of the taps between the two services, in the order of the requests. */
  readonly wire: readonly WireRecord[];
  /** For each request the numbers of the assertion's statements that fail; null for services that the assertion does not know. */
  readonly failed: readonly (readonly number[])[] | null;
}

/** A request was not answered, so there is nothing to judge. The message names the service and the reason. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

export const requestsPerRun = 8;
const timeoutMs = 30_000;
const variantFolder = join(import.meta.dirname, 'variants');

/**
 * Runs the demo with a fault, or healthy with null.
 * @throws {NoAnswerError}
 * @throws {ServiceStartError}
 */
export async function observeFault(
  name: string | null,
  mode: Mode,
  signal: AbortSignal,
): Promise<Observation> {
  const system = await startDemoSystem({
    mode,
    fault: name,
    isTapped: true,
    env: {
      ...process.env,
      // On a busy machine the first request can exceed a service's default timeout.
      SERVICE_B_TIMEOUT_MS: String(timeoutMs),
      MAX_EVENT_LOOP_DELAY_MS: String(timeoutMs),
    },
    signal,
  });
  try {
    const { receiver, serviceA, serviceB } = system;
    // Overlapping requests make most faults harder to name. The healthy demo must cause no error with them.
    const concurrency = name === null ? requestsPerRun / 2 : 1;
    const call = (requests: number): Promise<readonly Call[]> =>
      callServiceA({ serviceA: serviceA.url, requests, concurrency, timeoutMs, signal });
    const calls = await (name === 'context-lost'
      ? callDuringPauses(serviceB.process, call)
      : call(requestsPerRun));
    for (const { silence } of calls) if (silence !== null) throw new NoAnswerError(silence.reason);
    await system.stopServices();
    const failed = await listFailed(calls, { mode, source: receiver, signal });
    return { spans: receiver.readAll(), wire: await system.readHeaders(), failed };
  } finally {
    await system.close();
  }
}

/** @param call sends a number of requests */
function callDuringPauses(
  serviceB: ChildProcess,
  call: (requests: number) => Promise<readonly Call[]>,
): Promise<readonly Call[]> {
  return callPaused(requestsPerRun, {
    call: () => call(1),
    pause: () => serviceB.kill('SIGSTOP'),
    resume: async () => {
      // The pause lasts as long as this machine takes to start a process.
      await promisify(execFile)(process.execPath, ['--eval', '']);
      serviceB.kill('SIGCONT');
    },
  });
}

/** For each call the numbers of the statements that fail. Assumes that no more spans can arrive. */
export async function listFailed(
  calls: readonly Call[],
  options: Pick<CheckOptions, 'mode' | 'source' | 'signal'>,
): Promise<readonly (readonly number[])[]> {
  const { checks } = await checkCalls(calls, {
    ...options,
    timeoutMs,
    settleMs: timeoutMs,
    sourcePatienceMs: timeoutMs,
    noMoreSpans: AbortSignal.abort(),
    concurrency: 1,
  });
  return checks.map(({ statements }) =>
    statements.filter(({ state }) => state === 'failed').map(({ number }) => number),
  );
}

/**
 * Runs two services that call each other in one of the healthy ways.
 * @throws {NoAnswerError}
 * @throws {ServiceStartError}
 */
export async function observeVariant(name: VariantName, signal: AbortSignal): Promise<Observation> {
  // A service without instrumentation.
  using peer = await listen((_request, response) => response.end('{}'));
  const system = await startDemoSystem({
    mode: 'auto',
    fault: null,
    folder: variantFolder,
    env: { ...process.env, PEER_URL: peer.url },
    isTapped: true,
    signal,
  });
  try {
    const { serviceA, serviceB } = system;
    const probes = [new URL('/ready', serviceA.url), new URL('/ready', serviceB.url)];
    const concurrency = name === 'parallel' ? requestsPerRun : 1;
    await mapConcurrently(Array.from({ length: requestsPerRun }), concurrency, () =>
      Promise.all([
        ask(new URL(`/${name}`, serviceA.url), signal),
        ...(name === 'health-probes' ? probes.map((url) => ask(url, signal, 'kube-probe/1.35')) : []),
      ]),
    );
    await system.stopServices();
    return { spans: system.receiver.readAll(), wire: await system.readHeaders(), failed: null };
  } finally {
    await system.close();
  }
}

async function ask(url: URL, signal: AbortSignal, userAgent = 'fault-matrix'): Promise<void> {
  const either = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const response = await fetch(url, { headers: { 'user-agent': userAgent }, signal: either }).catch(
    (error: unknown) => {
      signal.throwIfAborted();
      throw new NoAnswerError(`${url} cannot be reached: ${String(error)}`);
    },
  );
  const body = await response.text();
  if (!response.ok) throw new NoAnswerError(`${url} answered ${response.status}: ${body}`);
}
