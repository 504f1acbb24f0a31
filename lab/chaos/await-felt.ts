import { setTimeout as delay } from 'node:timers/promises';
import { NoFaultError } from './fault.ts';

/** Longer than the Collector's timeout for an export. */
const longestMs = 120_000;
const pollMs = 500;

/**
 * Waits until the injected fault has an effect on the stack.
 * @param look Resolves with a text that shows that there is no effect yet, or with null once there is.
 * @throws {NoFaultError} when there is no effect within two minutes.
 */
export async function awaitFelt(look: () => Promise<string | null>, patienceMs = longestMs): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const shown = await look();
    if (shown === null) return;
    if (performance.now() >= deadline) throw new NoFaultError(`${shown} within ${patienceMs / 1000} s`);
    await delay(pollMs);
  }
}
