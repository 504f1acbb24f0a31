import { setTimeout as delay } from 'node:timers/promises';
import { NoFaultError } from './fault.ts';

/** Longer than the Collector waits for one answer. */
const longestMs = 120_000;
const pollMs = 500;

/**
 * Waits until the stack feels the fault that has been made.
 * @param look What shows that it does not feel it yet, or null once it does.
 * @throws {NoFaultError} when it does not within two minutes.
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
