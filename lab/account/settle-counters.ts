import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { UsageError } from 'propagation-check/kit';
import type { Counters } from './counters.ts';

const pauseMs = 300;

/**
 * Reads the counters until two consecutive readings are equal. The hops are not read at the same moment, so only one of two hops may have
 * counted a batch in flight between them.
 * @throws {UsageError} when the counters still change after `timeoutMs`, and whatever `read` throws.
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
