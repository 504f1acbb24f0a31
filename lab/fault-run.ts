import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { callServiceA, type Mode, startDemoSystem } from 'demo';
import { type Span, startTap, type WireRecord } from 'propagation-check';
import { mapConcurrently } from 'propagation-check/kit';
import { type Fault, type FaultName, faults } from '../service-a/src/fault.ts';
import type { VariantName } from './fault-variants/variant.ts';

/** All that a real system left behind, once it had stopped. */
export interface Observation {
  readonly spans: readonly Span[];
  /** Of the taps between the two services, in the order in which the requests came. */
  readonly wire: readonly WireRecord[];
}

/** A request was not answered, so that there is nothing to be judged. The message says by whom and why. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

export const requestsPerRun = 8;
const timeoutMs = 30_000;
const variantFolder = join(import.meta.dirname, 'fault-variants');

/**
 * Runs the demo with a fault, or healthy with null. A proxy that is the fault runs here instead of in service A, so
 * that there is a tap on each side of it.
 * @throws {NoAnswerError}
 * @throws {ServiceStartError}
 */
export async function observeFault(
  name: FaultName | null,
  mode: Mode,
  signal: AbortSignal,
): Promise<Observation> {
  const fault: Fault = name === null ? {} : faults[name];
  await using taps = createTaps();
  const system = await startDemoSystem({
    mode,
    fault: fault.stepBetween === undefined ? name : null,
    env: { ...process.env, SERVICE_B_TIMEOUT_MS: String(timeoutMs) },
    stepBetween: (serviceB) => taps.place(serviceB, fault.stepBetween),
    signal,
  });
  try {
    const serviceA = system.serviceA.url;
    // A request that overlaps others makes most faults harder to tell; the healthy demo has to stand it.
    const concurrency = name === null ? requestsPerRun / 2 : 1;
    const calls = await callServiceA({
      serviceA,
      requests: requestsPerRun,
      concurrency,
      timeoutMs,
      signal,
    });
    for (const { silence } of calls) if (silence !== null) throw new NoAnswerError(silence.reason);
    await system.stopServices();
    return { spans: system.receiver.readAll(), wire: await taps.readAll() };
  } finally {
    await system.close();
  }
}

/**
 * Runs two services that call each other in one of the healthy ways.
 * @throws {NoAnswerError}
 * @throws {ServiceStartError}
 */
export async function observeVariant(name: VariantName, signal: AbortSignal): Promise<Observation> {
  await using taps = createTaps();
  await using peer = await startPeer();
  const system = await startDemoSystem({
    mode: 'auto',
    fault: null,
    folder: variantFolder,
    env: { ...process.env, PEER_URL: peer.url },
    stepBetween: (serviceB) => taps.place(serviceB),
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
    return { spans: system.receiver.readAll(), wire: await taps.readAll() };
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

/** A service that nobody instruments. */
async function startPeer(): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((_request, response) => void response.end('{}'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the peer has no TCP address');
  return {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

interface Taps extends AsyncDisposable {
  /** A tap in front of service B; with a proxy, one on each side of it. Answers with the URL that A is to use. */
  place(serviceB: URL, proxy?: (target: URL) => Promise<URL>): Promise<URL>;
  /** Everything that was seen, once both services have stopped. */
  readAll(): Promise<readonly WireRecord[]>;
}

function createTaps(): Taps {
  const open: { readonly records: WireRecord[]; readonly close: () => Promise<void> }[] = [];
  const place = async (target: URL): Promise<URL> => {
    const records: WireRecord[] = [];
    const tap = await startTap({
      listen: { port: 0 },
      target: target.origin,
      client: 'service-a',
      server: 'service-b',
      onRecord: (record) => records.push(record),
    });
    open.push({ records, close: () => tap.close() });
    return new URL(tap.url);
  };
  // The last one is the first that a request comes to.
  const close = async () => {
    for (const tap of open.toReversed()) await tap.close();
  };
  return {
    place: async (serviceB, proxy) => {
      const inFront = await place(serviceB);
      return proxy === undefined ? inFront : place(await proxy(inFront));
    },
    readAll: async () => {
      await close();
      const records = open.toReversed().flatMap((tap) => tap.records);
      return records.toSorted((left, right) => Date.parse(left.time) - Date.parse(right.time));
    },
    [Symbol.asyncDispose]: close,
  };
}
