import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { UsageError } from 'propagation-check/kit';
import type { Counters } from './counters.ts';

const pauseMs = 300;

/**
 * The counters once two readings say the same: hops are not read at one moment, and a batch that is under way in between is counted
 * by one of them alone.
 * @throws {UsageError} when they do not stand still in time, and whatever `read` throws.
 */
export async function settleCounters(
  read: () => Promise<Counters>,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Counters> {
  const deadline = performance.now() + timeoutMs;
  let last = await read();
  for (;;) {
    await delay(pauseMs, undefined, { signal });
    const next = await read();
    if (isDeepStrictEqual(last, next)) return next;
    if (performance.now() >= deadline)
      throw new UsageError(
        `the counters of the stack do not stand still within ${timeoutMs / 1000} s: somebody else sends requests. An account needs the ` +
          'stack for itself; try again later, or leave out --account',
      );
    last = next;
  }
}
