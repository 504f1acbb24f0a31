import { startTap, type Tap, type WireRecord } from 'propagation-check';
import type { TapFaults } from './fault.ts';

/** The path from service A to service B, and the headers that were recorded on it. */
export interface Taps extends AsyncDisposable {
  /** For service A, in place of service B's. */
  readonly url: URL;
  /** Closes the taps, and answers with their records in the order in which the requests came. */
  readAll(): Promise<readonly WireRecord[]>;
}

export interface TapsOptions {
  readonly serviceB: URL;
  /** Null: the proxy that breaks is not there. */
  readonly faults: TapFaults | null;
}

/** Puts taps in front of service B: one that records; with a proxy that breaks, one on each side of it. */
export async function startTaps({ serviceB, faults }: TapsOptions): Promise<Taps> {
  const records: WireRecord[] = [];
  const open: Tap[] = [];
  // The last one is the first that a request comes to.
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
