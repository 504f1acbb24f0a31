import { startTap, type Tap, type WireRecord } from 'propagation-check';
import type { TapFaults } from './fault.ts';

/** The hops from service A to service B, and the headers that they recorded. */
export interface Taps extends AsyncDisposable {
  /** The URL that service A calls instead of service B's. */
  readonly url: URL;
  /** Closes the taps. Resolves with their records in the order of the requests. */
  readAll(): Promise<readonly WireRecord[]>;
}

export interface TapsOptions {
  readonly serviceB: URL;
  /** Faults of the proxy; null starts no proxy. */
  readonly faults: TapFaults | null;
}

/** Starts a recording tap in front of service B. With faults, starts a proxy and a recording tap on each side of it. */
export async function startTaps({ serviceB, faults }: TapsOptions): Promise<Taps> {
  const records: WireRecord[] = [];
  const open: Tap[] = [];
  // In the order of the requests: a request reaches the tap that was opened last first.
  const close = async () => {
    for (const tap of open.toReversed()) await tap.close();
  };
  const record = async (name: string, target: string) => {
    const tap = await startTap({
      listen: { port: 0 },
      target,
      name,
      client: 'service-a',
      server: 'service-b',
      onRecord: (one) => records.push(one),
    });
    open.push(tap);
    return tap.url;
  };
  const breakHeaders = async (target: string, tapFaults: TapFaults) => {
    const tap = await startTap({ listen: { port: 0 }, target, ...tapFaults });
    open.push(tap);
    return tap.url;
  };

  const inFront = await record('before service-b', serviceB.origin);
  const url =
    faults === null ? inFront : await record('behind service-a', await breakHeaders(inFront, faults));
  return {
    url: new URL(url),
    readAll: async () => {
      await close();
      return records.toSorted((left, right) => Date.parse(left.time) - Date.parse(right.time));
    },
    [Symbol.asyncDispose]: close,
  };
}
